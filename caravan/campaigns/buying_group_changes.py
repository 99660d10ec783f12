"""Changes of groups that journeys and users make: each with the record of what happened by it.

The one way in for both, so that precedence (of members), completeness and what listeners hear are the same
whoever asks.
In the caller's transaction; for the order of its locks see ``caravan/buying_groups/membership.py``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from caravan.buying_groups import membership, stages
from caravan.buying_groups.precedence import Source
from caravan.campaigns import recording
from caravan.campaigns.plans import PlanCache
from caravan.journeys.reasons import SkipReason


async def assign(
    conn: Any,
    plans: PlanCache,
    group_id: int,
    person_ids: Sequence[int],
    role: str,
    source: Source,
    at: datetime,
) -> dict[int, SkipReason | None]:
    """Give people a role in a group; why not, by person, None where it was done."""
    changed = await membership.assign(conn, group_id, person_ids, role, source, at)
    await recording.record(conn, plans, changed.happenings, at)
    return changed.reasons


async def remove(
    conn: Any,
    plans: PlanCache,
    group_id: int,
    person_ids: Sequence[int],
    source: Source,
    at: datetime,
) -> dict[int, SkipReason | None]:
    """Take people out of a group; why not, by person, None where it was done."""
    changed = await membership.remove(conn, group_id, person_ids, source, at)
    await recording.record(conn, plans, changed.happenings, at)
    return changed.reasons


async def set_stage(
    conn: Any, plans: PlanCache, group_id: int, stage: str, source: Source, at: datetime
) -> SkipReason | None:
    """Move a group to a stage; why not, None where it was done."""
    moved = await stages.set_stage(conn, group_id, stage, source, at)
    await recording.record(conn, plans, moved.happenings, at)
    return moved.reason


async def set_status(
    conn: Any, plans: PlanCache, group_id: int, status: str | None, source: Source, at: datetime
) -> SkipReason | None:
    """Give a group a status; why not, None where it was done."""
    moved = await stages.set_status(conn, group_id, status, source, at)
    await recording.record(conn, plans, moved.happenings, at)
    return moved.reason
