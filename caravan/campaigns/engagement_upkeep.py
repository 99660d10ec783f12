"""The upkeep of engagement: a new scale where one is due, and everybody brought up to it."""

from datetime import datetime
from typing import Any

from caravan.buying_groups import scale
from caravan.campaigns import recording
from caravan.campaigns.plans import PlanCache


async def keep_page(pool: Any, plans: PlanCache, at: datetime) -> int:
    """Renew the scale where that is due, and follow it by one page; what it changes is heard.

    Returns:
        How many people, groups or days the page held; 0 when there is nothing to do.
    """
    await scale.renew(pool, at)
    async with pool.acquire() as conn, conn.transaction():
        followed = await scale.follow_page(conn, at)
        await recording.record(conn, plans, followed.happenings, at)
    return followed.count


async def keep(pool: Any, plans: PlanCache, at: datetime) -> int:
    """Keep on until there is nothing to do; returns how many rows that took."""
    total = 0
    while count := await keep_page(pool, plans, at):
        total += count
    return total
