"""What has been spent of today's budget, and on what: as `caravan ai status` tells it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from caravan.database.pool import Pool
from caravan.engage import sql


@dataclass(frozen=True)
class Spending:
    """A day of the budget, which is UTC's."""

    day: date
    tokens: int
    tokens_reserved: int
    cost: Decimal
    cost_reserved: Decimal
    by_feature: list[dict[str, Any]]


async def spending(engage: Pool, at: datetime) -> Spending:
    """How today stands."""
    day = at.astimezone(UTC).date()
    begins = datetime.combine(day, time(), UTC)
    spent = await sql.fetchrow(engage, "ai_day", day=day)
    reserved = await sql.fetchrow(engage, "ai_reserved")
    rows = await sql.fetch(
        engage, "ai_calls_by_feature", since=begins, until=begins + timedelta(days=1)
    )
    return Spending(
        day,
        spent["tokens"] if spent else 0,
        reserved["tokens"],
        spent["cost"] if spent else Decimal(0),
        reserved["cost"],
        [dict(row) for row in rows],
    )


async def calls_after(engage: Pool, call: int = 0) -> dict[str, Any]:
    """What all calls behind this one have cost together."""
    return dict(await sql.fetchrow(engage, "ai_calls_after", call=call))


async def latest_calls(engage: Pool, limit: int) -> list[dict[str, Any]]:
    """What was asked last; of the questions there is nothing but their digest."""
    return [dict(row) for row in await sql.fetch(engage, "latest_ai_calls", limit=limit)]
