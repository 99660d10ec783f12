"""The upkeep of engagement: a new scale where one is due, and everybody brought up to it."""

from datetime import datetime
from typing import Any

from caravan.buying_groups import scale
from caravan.campaigns import recording
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql


async def keep_page(pool: Any, plans: PlanCache, at: datetime) -> int:
    """Renew the scale where that is due, and follow it by one page; what it changes is heard.

    Returns:
        How many people, groups or days the page held; 0 when there is nothing to do.
    """
    await scale.renew(pool, at)
    async with pool.acquire() as conn, conn.transaction():
        followed = await scale.follow_page(conn, at)
        await recording.record(conn, plans, followed.happenings, at)
        await _look_again(conn, plans, followed, at)
    return followed.count


async def _look_again(conn: Any, plans: PlanCache, followed: scale.Followed, at: datetime) -> None:
    """Scores have changed that no event tells of: lists and exits may ask for them."""
    whom = {"account_ids": followed.account_ids, "person_ids": followed.person_ids}
    if not any(whom.values()):
        return
    await sql.execute(conn, "question_lists", **whom)
    touched = await sql.fetch(conn, "share_accounts_touched", **whom)
    await recording.look_at_exits(conn, plans, [row["id"] for row in touched], at)
