"""Admission: the queue of accounts that may enter a journey, and their entries; decided in Postgres.

Who may enter is asked with the account's row of entries locked, and entering is one statement that
changes it: two admitters can neither let an account in twice nor overlook each other's entry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from caravan.engage import sql
from caravan.journeys.state import State

#: NOTIFY channel that nudges admission
CHANNEL = "caravan_admissions"


@dataclass(frozen=True)
class Entries:
    """What an account's row says of its entries."""

    count: int = 0
    entered_at: datetime | None = None
    ended_at: datetime | None = None
    inside: bool = False


async def hold_newer(conn: Any, newest_complete: int | None) -> None:
    """Let no account in that is newer than this: it may have come without its people; None: all may.

    Args:
        conn: in a transaction.
        newest_complete: an account's number.
    """
    held: int | None = await sql.fetchval(conn, "newest_complete")
    if held == newest_complete:
        return
    await sql.execute(conn, "hold_none")
    if newest_complete is not None:
        await sql.execute(conn, "hold_newer", account_id=newest_complete)
    await conn.execute(f"notify {CHANNEL}")


async def queue(
    conn: Any,
    journey: Any,
    account_ids: Sequence[int],
    at: datetime,
    *,
    invited: bool = False,
) -> None:
    """Queue accounts for a journey; admission decides later whether they enter.

    Args:
        conn: in a transaction.
        journey: the row of a live version.
        account_ids: those who qualify, or whom another journey adds.
        at: domain time.
        invited: another journey adds them: the audience has no say.
    """
    asked = {
        "journey_id": journey["id"],
        "account_ids": list(account_ids),
        "at": at,
    }
    await sql.execute(conn, "queue_admissions", **asked, invited=invited)
    await sql.execute(conn, "note_entries_used", **asked)
    await conn.execute(f"notify {CHANNEL}")


async def queue_for_later(
    conn: Any, journey_id: int, due: Mapping[int, datetime], invited: set[int], at: datetime
) -> None:
    """Queue accounts for the instant from which they may ask again; who waits for it is not doubled."""
    await sql.execute(
        conn,
        "queue_for_later",
        journey_id=journey_id,
        account_ids=list(due),
        due_ats=list(due.values()),
        invited=[account_id in invited for account_id in due],
        at=at,
    )


async def lock_entries(conn: Any, slug: str, account_ids: Sequence[int]) -> dict[int, Entries]:
    """The entries of accounts, theirs until the transaction ends; who never entered is not there."""
    rows = await sql.fetch(conn, "lock_entries", slug=slug, account_ids=list(account_ids))
    return {
        row["account_id"]: Entries(
            row["count"], row["last_entered_at"], row["last_ended_at"], row["inside"]
        )
        for row in rows
    }


async def admit(
    conn: Any, munchkin: str, journey: Any, used: Mapping[int, int], at: datetime
) -> int:
    """Let accounts in, in one statement; returns how many.

    Args:
        conn: in a transaction.
        munchkin: the subscription's.
        journey: the version's row.
        used: the accounts, and how many entries each has used; one that has used more meanwhile
            stays out.
        at: domain time.
    """
    rows = await sql.fetch(
        conn,
        "admit",
        journey_id=journey["id"],
        slug=journey["slug"],
        account_ids=list(used),
        used=list(used.values()),
        at=at,
        state=State().model_dump(mode="json", exclude_none=True),
        prefix=f"journey/{munchkin}/{journey['slug']}/",
    )
    return len(rows)


async def note_refused(conn: Any, slug: str, refused: Mapping[int, str], at: datetime) -> None:
    """Keep with each account why it did not enter, for whoever asks."""
    if refused:
        await sql.execute(
            conn,
            "note_refused",
            slug=slug,
            account_ids=list(refused),
            rules=list(refused.values()),
            at=at,
        )


async def lock_day(conn: Any, slug: str, day: date) -> int:
    """How many have entered a journey on a day; admitters take turns from here."""
    count = await sql.fetchval(conn, "lock_day", slug=slug, day=day)
    if count is None:
        await sql.execute(conn, "begin_day", slug=slug, day=day)
        count = await sql.fetchval(conn, "lock_day", slug=slug, day=day)
    return int(count)


async def count_day(conn: Any, slug: str, day: date, more: int) -> None:
    """Count entries of a day."""
    await sql.execute(conn, "count_day", slug=slug, day=day, more=more)
