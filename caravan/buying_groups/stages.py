"""Stages and statuses of a group: a stage moves along its model, a status is any text.

What is not allowed changes nothing and says why. Every move is kept with its time, so that velocity and
stagnation can be told (product.md §3.9).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caravan.buying_groups.membership import hold
from caravan.buying_groups.precedence import Source
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.actions.update_buying_group_status import LONGEST_STATUS
from caravan.journeys.documents.stage_model import StageModelDocument
from caravan.journeys.reasons import SkipReason

__all__ = ["LONGEST_STATUS", "Moved", "set_stage", "set_status"]


@dataclass(frozen=True)
class Moved:
    """Why nothing was done, None where it was; and what happened by it."""

    reason: SkipReason | None
    happenings: list[Happening] = field(default_factory=list)


async def set_stage(conn: Any, group_id: int, stage: str, source: Source, at: datetime) -> Moved:
    """Move a group to a stage, by the version of the stage model it follows.

    Args:
        conn: of the engage store, in a transaction.
        group_id: the group.
        stage: the one to move to.
        source: who says so.
        at: domain time.

    Returns:
        Reasons: ``unchanged``; ``not-allowed-transition``, also where there is no stage model.
    """
    group = await hold(conn, group_id)
    if group["stage"] == stage:
        return Moved(SkipReason.UNCHANGED)
    body = await sql.fetchval(conn, "stage_model_of_group", group_id=group_id)
    if body is None or not StageModelDocument.model_validate(body).allows(group["stage"], stage):
        return Moved(SkipReason.NOT_ALLOWED_TRANSITION)
    return await _move(conn, group, "stage", stage, source, at)


async def set_status(
    conn: Any, group_id: int, status: str | None, source: Source, at: datetime
) -> Moved:
    """Give a group a status, or none; it is free text that no model knows.

    Args:
        conn: of the engage store, in a transaction.
        group_id: the group.
        status: at most ``LONGEST_STATUS`` characters, which the caller sees to.
        source: who says so.
        at: domain time.

    Returns:
        Reasons: ``unchanged``.
    """
    group = await hold(conn, group_id)
    status = status or None
    if group["status"] == status:
        return Moved(SkipReason.UNCHANGED)
    return await _move(conn, group, "status", status, source, at)


async def _move(
    conn: Any, group: Any, what: str, new: str | None, source: Source, at: datetime
) -> Moved:
    await sql.execute(conn, f"move_to_{what}", group_id=group["id"], new=new, source=source, at=at)
    happening = Happening(
        f"buying_group_{what}_changed",
        at,
        account_id=group["account_id"],
        fields={"solution_interest": group["solution_interest"], "from": group[what], "to": new},
    )
    return Moved(None, [happening])
