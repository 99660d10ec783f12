"""Why an account that is queued for a journey has not entered yet, for whoever asks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from caravan.engage import sql
from caravan.journeys.entry import EntryRules
from caravan.journeys.time import local_day

Reason = Literal["paused", "re-entry", "import", "per-day", "turn"]


@dataclass(frozen=True)
class Awaiting:
    """An account before the door of a journey.

    Args:
        journey: its slug.
        version: that it would enter.
        queued_at: since when it waits.
        due_at: from when on it may enter.
        ahead: how many accounts that may enter now stand before it.
        reason: what it waits for.
        why: the same in words.
    """

    journey: str
    version: int
    queued_at: datetime
    due_at: datetime
    ahead: int
    reason: Reason
    why: str


async def awaiting_entry(engage: Any, account_id: int, at: datetime) -> list[Awaiting]:
    """Where an account waits to enter, by journey, and for what."""
    rows = await sql.fetch(engage, "admissions_of_account", account_id=account_id, at=at)
    return [await _awaiting(engage, row, at) for row in rows]


async def _awaiting(engage: Any, row: Any, at: datetime) -> Awaiting:
    reason, why = await _waits_for(engage, row, at)
    return Awaiting(
        row["slug"], row["version"], row["queued_at"], row["due_at"], row["ahead"], reason, why
    )


async def _waits_for(engage: Any, row: Any, at: datetime) -> tuple[Reason, str]:
    rules = EntryRules.model_validate(row["rules"])
    if row["paused_at"] is not None:
        return "paused", "the journey is paused"
    if row["due_at"] > at:
        return "re-entry", f"it may enter again from {row['due_at']:%Y-%m-%d %H:%M:%S} UTC on"
    newest = await sql.fetchval(engage, "newest_complete")
    if newest is not None and row["account_id"] > newest:
        return "import", "the import that brought it goes on: its people may be still to come"
    before = f"{row['ahead']} before it"
    most, today = rules.admit.per_day, local_day(at, rules.zone)
    if most is not None:
        entered = await sql.fetchval(engage, "entered_on", slug=row["slug"], day=today) or 0
        if entered >= most:
            day = today + timedelta(days=1 + row["ahead"] // most)
            return "per-day", (
                f"{most} enter a day ({rules.zone}) and {entered} have today; {before}, so not "
                f"before {day}"
            )
    return "turn", f"its turn, {before}"
