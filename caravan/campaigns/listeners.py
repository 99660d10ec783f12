"""The row of a traversal that rests until something happens to its account: armed once, closed once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from caravan.campaigns.visit import Visit
from caravan.engage import sql

Purpose = Literal["listen", "moment"]


async def arm(
    visit: Visit,
    step_no: int,
    purpose: Purpose,
    types: Sequence[str],
    *,
    start: datetime,
    until: datetime,
    field: str | None = None,
) -> None:
    """Store the listener of a step.

    Args:
        visit: whose node it is.
        step_no: the step that arms it.
        purpose: a listen, or a wait for a date that may move.
        types: of the activities it hears.
        start: from when they count.
        until: to when, included.
        field: of the account, where only its changes matter.
    """
    await sql.execute(
        visit.conn,
        "arm_listener",
        traversal_id=visit.traversal.id,
        step_no=step_no,
        account_id=visit.traversal.account_id,
        purpose=purpose,
        node=visit.node,
        plan_hash=visit.traversal.plan_hash,
        types=list(types),
        field=field,
        from_at=start,
        until_at=until,
    )


async def of_step(visit: Visit, purpose: Purpose) -> Any:
    """The latest listener of a traversal, locked; None where it has none."""
    return await sql.fetchrow(
        visit.conn, "listener_of_step", traversal_id=visit.traversal.id, purpose=purpose
    )


async def close(
    conn: Any,
    listener_id: int,
    at: datetime,
    edge: str,
    *,
    activity_id: int | None = None,
    person_id: int | None = None,
    heard_at: datetime | None = None,
) -> None:
    """Close a listener with the edge its traversal leaves by; one that is closed stays as it is."""
    await sql.execute(
        conn,
        "close_listener",
        id=listener_id,
        at=at,
        edge=edge,
        activity_id=activity_id,
        person_id=person_id,
        heard_at=heard_at,
    )
