"""The row of a traversal that rests until something happens to its account: armed once, closed once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Heard:
    """The event that ended a listen: by which edge, when, and whose it was."""

    edge: str
    activity_id: int
    person_id: int | None
    at: datetime


async def close(conn: Any, listener_id: int, at: datetime, edge: str) -> None:
    """Close a listener with the edge its traversal leaves by; one that is closed stays as it is."""
    await sql.execute(conn, "close_listener", id=listener_id, at=at, edge=edge)


async def close_heard(conn: Any, heard: Mapping[int, Heard], at: datetime) -> None:
    """Close listeners, by their ids, with what they heard; as above."""
    await sql.execute(
        conn,
        "close_heard",
        ids=list(heard),
        at=at,
        edges=[one.edge for one in heard.values()],
        activity_ids=[one.activity_id for one in heard.values()],
        person_ids=[one.person_id for one in heard.values()],
        heard_ats=[one.at for one in heard.values()],
    )
