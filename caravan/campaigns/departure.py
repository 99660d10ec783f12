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
from datetime import datetime
from typing import Any

from caravan.engage import sql, wakeups

#: the reasons by which a traversal has left
ACCOUNT_DELETED, ACCOUNT_MERGED = "account-deleted", "account-merged"


async def lock_ways(conn: Any, account_ids: Sequence[int]) -> None:
    """Lock the open traversals of accounts that are about to go, before anything else is locked."""
    if account_ids:
        await sql.fetch(conn, "lock_ways_of", account_ids=list(account_ids))


async def leave_lists(conn: Any, account_ids: Sequence[int], person_ids: Sequence[int]) -> None:
    """Those of these accounts and people that are gone are in no list and wait for no journey; again, it does nothing.

    Args:
        conn: of the engage store, in the transaction that wrote their flag.
        account_ids: accounts.
        person_ids: people.
    """
    accounts, people = await _gone(conn, account_ids, person_ids)
    if accounts:
        await sql.execute(conn, "drop_admissions_of", account_ids=accounts)
        await sql.execute(conn, "leave_lists_accounts", subject_ids=accounts)
    if people:
        await sql.execute(conn, "leave_lists_people", subject_ids=people)


async def leave_journeys(
    conn: Any, account_ids: Sequence[int], person_ids: Sequence[int], at: datetime
) -> None:
    """Of those that are gone nothing leaves that has not left, and they travel no more; again, it does nothing.

    It gives back what messages took of limits, whose counts are behind every other lock (0025): so it stands at
    the end of the transaction that wrote the flag.

    Args:
        conn: of the engage store.
        account_ids: the traversals of those that are gone are locked.
        person_ids: people.
        at: domain time.
    """
    accounts, people = await _gone(conn, account_ids, person_ids)
    if accounts or people:
        await sql.execute(conn, "withdraw_of_gone", account_ids=accounts, person_ids=people, at=at)
    if accounts:
        rows = await sql.fetch(conn, "lock_ways_of", account_ids=accounts)
        for reason, is_merged in ((ACCOUNT_DELETED, False), (ACCOUNT_MERGED, True)):
            ways = [row["id"] for row in rows if row["is_merged"] is is_merged]
            await close(conn, ways, reason, at)


async def _gone(
    conn: Any, account_ids: Sequence[int], person_ids: Sequence[int]
) -> tuple[list[int], list[int]]:
    rows = await sql.fetch(
        conn, "gone_among", account_ids=list(account_ids), person_ids=list(person_ids)
    )
    return (
        [row["id"] for row in rows if row["is_account"]],
        [row["id"] for row in rows if not row["is_account"]],
    )


async def close(conn: Any, traversal_ids: Sequence[int], reason: str, at: datetime) -> None:
    """Close locked traversals of accounts that are gone; their workflows see it and end."""
    if traversal_ids:
        ids = list(traversal_ids)
        await sql.fetch(conn, "close_traversals", traversal_ids=ids, reason=reason, at=at)
        await wakeups.queue(conn, ids, reason)
