"""Admitting: whoever waits in a journey's queue enters now, later, or not, by the journey's rules.

The audience is asked at the moment of entry, in the Platform or, where it is a list, here: an account
that waited for its turn, for its day or for its re-entry, and has left it meanwhile, stays out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from caravan.engage import admissions, lists, sql
from caravan.engage.admissions import Entries
from caravan.journeys.durations import Span
from caravan.journeys.entry import EntryRules, Past, opens, refusal
from caravan.journeys.time import EndsOn, local_day, next_slot, shift
from caravan.platform import audiences

PAGE = 500


async def admit_page(
    engage: Any, platform: Any, munchkin: str, journey: Any, at: datetime, limit: int = PAGE
) -> int:
    """Decide about the next accounts of a version's queue, all in one transaction.

    Returns:
        How many rows were moved; 0 for a journey that takes no entries, or no more today.
    """
    rules = EntryRules.model_validate(journey["rules"])
    async with engage.acquire() as conn, conn.transaction():
        if not await sql.fetch(conn, "takes_entries", journey_id=journey["id"], at=at):
            return 0
        moved = await _queue_ended(conn, journey, rules, at, limit)
        day = local_day(at, rules.zone)
        if rules.admit.per_day is not None:
            entered = await admissions.lock_day(conn, journey["slug"], day)
            limit = min(limit, max(0, rules.admit.per_day - entered))
        rows = await sql.fetch(
            conn, "take_admissions", journey_id=journey["id"], limit=limit, at=at
        )
        if not rows:
            return moved
        invited = {row["account_id"] for row in rows if row["invited"]}
        used = await _who_may(
            conn, platform, journey, rules, [row["account_id"] for row in rows], invited, at
        )
        entered = await admissions.admit(conn, munchkin, journey, used, at)
        if rules.admit.per_day is not None:
            await admissions.count_day(conn, journey["slug"], day, entered)
        await sql.execute(conn, "drop_admissions", ids=[row["id"] for row in rows])
        return moved + len(rows)


async def next_look(engage: Any, journey: Any, at: datetime) -> datetime | None:
    """When time alone may let somebody in: a re-entry opens, or a new day with places begins."""
    rules = EntryRules.model_validate(journey["rules"])
    due: datetime | None = await sql.fetchval(engage, "next_due", journey_id=journey["id"], at=at)
    if rules.admit.per_day is None or not await sql.fetchval(
        engage, "waits_to_enter", journey_id=journey["id"], at=at
    ):
        return due
    tomorrow = next_slot(shift(at, Span(count=1, unit="seconds"), rules.zone), EndsOn(), rules.zone)
    return tomorrow if due is None else min(due, tomorrow)


async def _queue_ended(conn: Any, journey: Any, rules: EntryRules, at: datetime, limit: int) -> int:
    """Queue those who have left, for the instant at which they may enter again."""
    if rules.reentry is None:
        return 0
    ended = await sql.fetch(conn, "take_ended", slug=journey["slug"], limit=limit)
    due = {
        row["account_id"]: opens(rules, row["last_entered_at"], row["last_ended_at"]) or at
        for row in ended
    }
    if due:
        await admissions.queue_for_later(conn, journey["id"], due, set(), at)
    return len(due)


async def _who_may(
    conn: Any,
    platform: Any,
    journey: Any,
    rules: EntryRules,
    account_ids: Sequence[int],
    invited: set[int],
    at: datetime,
) -> dict[int, int]:
    """Those who may enter with the entries they have used; the others are told why, or when."""
    qualified = await _qualified(conn, platform, journey, account_ids)
    entries = await admissions.lock_entries(conn, journey["slug"], account_ids)
    may: dict[int, int] = {}
    refused: dict[int, str] = {}
    later: dict[int, datetime] = {}
    for account_id in sorted(set(account_ids)):
        known = entries.get(account_id, Entries())
        if known.inside or not (account_id in qualified or account_id in invited):
            continue
        past = _past(account_id, known, qualified, invited)
        no = refusal(rules, past, journey["segment_at"] or journey["starts_at"], at)
        if no is None:
            may[account_id] = known.count
            continue
        refused[account_id] = no.rule
        if no.opens_at is not None:
            later[account_id] = no.opens_at
    await admissions.note_refused(conn, journey["slug"], refused, at)
    if later:
        await admissions.queue_for_later(conn, journey["id"], later, invited, at)
    return may


async def _qualified(
    conn: Any, platform: Any, journey: Any, account_ids: Sequence[int]
) -> dict[int, datetime]:
    """Which of them are in the journey's audience now, and since when."""
    if journey["of_list"]:
        return await lists.listed_since(conn, journey["audience"], account_ids)
    return await audiences.members_since(platform, journey["audience"], account_ids)


def _past(
    account_id: int, known: Entries, qualified: Mapping[int, datetime], invited: set[int]
) -> Past:
    return Past(
        entries=known.count,
        entered_at=known.entered_at,
        ended_at=known.ended_at,
        qualified_at=qualified.get(account_id),
        invited=account_id in invited,
    )
