"""Recording what happened so that nobody who listens misses it.

Accounts are locked ``FOR KEY SHARE`` in id order, in a statement of its own, before the activity is
inserted and listeners are matched; arming a listener locks the account ``FOR UPDATE``. So either the
listener sees the activity or the activity sees the listener.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from caravan.buying_groups import engagement
from caravan.campaigns import exits, listening
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql, wakeups
from caravan.engage.happening import Happening


async def record(
    conn: Any, plans: PlanCache, happenings: Sequence[Happening], as_of: datetime
) -> int:
    """Insert activities and close the listeners they satisfy, in the caller's transaction.

    Returns:
        How many were new.
    """
    if not happenings:
        return 0
    touched = await sql.fetch(
        conn,
        "share_accounts_touched",
        person_ids=_ids(h.person_id for h in happenings if not h.of_account_alone),
        account_ids=_ids(h.account_id for h in happenings),
    )
    return await _record(conn, plans, happenings, [row["id"] for row in touched], as_of)


async def record_of_locked(
    conn: Any, plans: PlanCache, happenings: Sequence[Happening], account_id: int, as_of: datetime
) -> None:
    """As ``record``, of nobody but an account whose row the caller has locked with its traversal.

    That lock keeps out who arms a listener, as the one asked for otherwise, and what an account does by
    itself engages nobody, so no recount need be kept out.
    """
    assert all(one.account_id == account_id and one.person_id is None for one in happenings)
    if happenings:
        await _record(conn, plans, happenings, [account_id], as_of)


async def _record(
    conn: Any,
    plans: PlanCache,
    happenings: Sequence[Happening],
    account_ids: Sequence[int],
    as_of: datetime,
) -> int:
    """Insert and match, the accounts touched being locked."""
    rows = await sql.fetch(
        conn,
        "record_activities",
        happenings=[vars(one) for one in happenings],
        types=sorted({one.type for one in happenings}),
        touched=account_ids,
    )
    of_groups = await _engaged(conn, rows[0], as_of)  # first: what is heard may ask for it
    hearing = [row for row in rows if row["id"] is not None]
    await wakeups.queue(conn, await listening.hear(conn, plans, hearing, as_of), "heard")
    if rows[0]["watched_from_afar"]:
        await look_at_exits(conn, plans, account_ids, as_of)
    elif rows[0]["watched"]:
        await _look_at_exits(conn, plans, account_ids, as_of)
    # of accounts, which engage nobody: this goes no deeper
    await record(conn, plans, of_groups, as_of)
    return int(rows[0]["inserted"])


async def _engaged(conn: Any, row: Any, as_of: datetime) -> list[Happening]:
    """Count what is new of it for engagement; what that has changed is still to be recorded."""
    if row["zone"] is None:
        return []
    done = list(zip(row["done_by"], row["done_what"], row["done_at"], strict=True))
    return await engagement.count(conn, done, row["zone"], as_of)


async def look_at_exits(
    conn: Any, plans: PlanCache, account_ids: Sequence[int], as_of: datetime
) -> None:
    """What was written about these accounts may have an exit met, theirs or one of others of the same people.

    Who rests and is to leave is woken.
    """
    if not account_ids:
        return
    beside = await sql.fetch(conn, "share_accounts_beside", account_ids=list(account_ids))
    await _look_at_exits(conn, plans, [*account_ids, *(row["id"] for row in beside)], as_of)


async def look_at_exits_of(
    conn: Any,
    plans: PlanCache,
    as_of: datetime,
    *,
    account_ids: Iterable[int] = (),
    person_ids: Iterable[int] = (),
) -> None:
    """As above, where what was written is told by no activity: also the accounts of these people.

    They are locked as for recording, so that who comes to rest meanwhile sees what was written, or is
    seen here. Their buying groups are to be looked at too.
    """
    accounts, people = _ids(account_ids), _ids(person_ids)
    if not accounts and not people:
        return
    await sql.execute(conn, "question_buying_groups", account_ids=accounts, person_ids=people)
    touched = await sql.fetch(
        conn, "share_accounts_touched", person_ids=people, account_ids=accounts
    )
    await look_at_exits(conn, plans, [row["id"] for row in touched], as_of)


async def _look_at_exits(
    conn: Any, plans: PlanCache, account_ids: Sequence[int], as_of: datetime
) -> None:
    leaving = await exits.reconsider(conn, plans, account_ids, as_of)
    await wakeups.queue(conn, leaving, "exit")


def _ids(values: Iterable[int | None]) -> list[int]:
    return sorted({value for value in values if value is not None})
