"""The upkeep of buying groups with what it makes of them: what happened is recorded, so journeys hear it."""

from datetime import datetime
from typing import Any

from caravan.buying_groups import upkeep
from caravan.campaigns import recording
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql


async def keep_page(pool: Any, plans: PlanCache, as_of: datetime, limit: int = upkeep.PAGE) -> int:
    """Answer the next questions about groups.

    Returns:
        How many there were; 0 when nothing waits.
    """
    if not await sql.fetchval(pool, "buying_groups_wait"):
        return 0
    async with pool.acquire() as conn, conn.transaction():
        kept = await upkeep.keep_page(conn, as_of, limit)
        await recording.record(conn, plans, kept.happenings, as_of)
        if kept.account_ids:
            await sql.execute(conn, "question_lists", account_ids=kept.account_ids, person_ids=[])
            await recording.look_at_exits(conn, plans, kept.account_ids, as_of)
    return kept.questions


async def waiting(pool: Any) -> int:
    """How many questions wait for an answer."""
    return int(await sql.fetchval(pool, "questions_waiting"))


async def questions_until(pool: Any, last: int) -> int:
    """How many questions of a daily run still wait for an answer."""
    return int(await sql.fetchval(pool, "questions_until", last=last))
