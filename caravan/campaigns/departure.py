"""Accounts and people that the Platform has no more: what follows here when that comes down.

One is deleted, or another stands for it since they were made one; the way out is the same, and what is
kept about the latter is handed on behind this (``caravan.engage.merged_records``).

An account leaves its journeys with the reason ``account-deleted`` or ``account-merged``, and the queues of
those it waits for; lists lose accounts and people; of mail that has not left nothing leaves. One in the
middle of a send asks the ledger before its last word, and is refused it. The records stay, flagged: what
was sent stays told. When they come back, they are admitted, listed and written to by the rules, like anybody.

Its traversals are locked before the account, as whoever serves them locks both. A traversal that is
admitted while its account goes is not among those: it is closed where it is next locked (``progress.lock``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.engage import sql, wakeups
from caravan.journeys.reasons import ExitReason


async def lock_ways(conn: Any, account_ids: Sequence[int]) -> None:
    """Lock the open traversals of accounts that are about to go, before anything else is locked."""
    if account_ids:
        await sql.fetch(conn, "lock_ways_of", account_ids=list(account_ids))


@dataclass(frozen=True)
class Gone:
    """Accounts and people that are gone, by id."""

    accounts: list[int]
    people: list[int]


async def gone_among(conn: Any, account_ids: Sequence[int], person_ids: Sequence[int]) -> Gone:
    """Those of these accounts and people that are gone by their flag here."""
    rows = await sql.fetch(
        conn, "gone_among", account_ids=list(account_ids), person_ids=list(person_ids)
    )
    return Gone(
        [row["id"] for row in rows if row["is_account"]],
        [row["id"] for row in rows if not row["is_account"]],
    )


async def leave_lists(conn: Any, gone: Gone) -> None:
    """They are in no list and wait for no journey; doing it again does nothing."""
    if gone.accounts:
        await sql.execute(conn, "drop_admissions_of", account_ids=gone.accounts)
        await sql.execute(conn, "leave_lists_accounts", subject_ids=gone.accounts)
    if gone.people:
        await sql.execute(conn, "leave_lists_people", subject_ids=gone.people)


async def leave_journeys(conn: Any, gone: Gone, at: datetime) -> None:
    """Withdraw their unsent mail; end their traversals. Doing it again does nothing.

    It gives back what messages took of limits, whose counts are behind every other lock (0025): so it stands at
    the end of the transaction that wrote the flag.

    Args:
        conn: of the engage store.
        gone: the traversals of the accounts are locked.
        at: domain time.
    """
    if gone.accounts or gone.people:
        await sql.execute(
            conn,
            "withdraw_of_gone",
            account_ids=gone.accounts,
            person_ids=gone.people,
            at=at,
        )
    if gone.accounts:
        rows = await sql.fetch(conn, "lock_ways_of", account_ids=gone.accounts)
        for reason, is_merged in (
            (ExitReason.ACCOUNT_DELETED, False),
            (ExitReason.ACCOUNT_MERGED, True),
        ):
            ways = [row["id"] for row in rows if row["is_merged"] is is_merged]
            await close(conn, ways, reason, at)


async def close(conn: Any, traversal_ids: Sequence[int], reason: str, at: datetime) -> None:
    """Close locked traversals of accounts that are gone; their workflows see it and end."""
    if traversal_ids:
        ids = list(traversal_ids)
        await sql.fetch(conn, "close_traversals", traversal_ids=ids, reason=reason, at=at)
        await wakeups.queue(conn, ids, reason)
