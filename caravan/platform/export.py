"""What the engage store gets of the Platform: accounts with all that belongs to them.

Records come as they are now. Histories are long and never change, so each comes once: with the account
or the person whose it is; of who is there already comes only what is new.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from caravan.platform import sql


@dataclass(frozen=True)
class Bundle:
    """Records of some accounts, as rows of the core tables."""

    accounts: list[Any]
    people: list[Any]
    relations: list[Any]
    opportunities: list[Any]
    activities: list[Any]


@dataclass(frozen=True)
class Here:
    """What the engage store has of some accounts."""

    accounts: Collection[int] = frozenset()
    relations: Collection[int] = frozenset()


async def export_accounts(
    conn: Any, account_ids: Sequence[int], here: Here, news: Sequence[int]
) -> Bundle:
    """Accounts with their people, relations, opportunities and activities, and what else happened.

    Args:
        conn: of the sandbox, in a transaction with one snapshot.
        account_ids: whose records are wanted.
        here: what the engage store has, of them and of those that something happened to.
        news: the activities that may be new to it.
    """
    ids = list(account_ids)
    if not ids and not news:
        return Bundle([], [], [], [], [])
    relations = await sql.fetch(conn, "relations_to_bring", account_ids=ids)
    newcomers = {
        row["person_id"]
        for row in relations
        if row["deleted_at"] is None and row["id"] not in here.relations
    }
    return Bundle(
        accounts=await sql.fetch(
            conn, "accounts_to_bring", account_ids=ids, held=list(here.accounts)
        ),
        people=await sql.fetch(conn, "people_to_bring", account_ids=ids),
        relations=relations,
        opportunities=await sql.fetch(conn, "opportunities_to_bring", account_ids=ids),
        activities=await sql.fetch(
            conn,
            "activities_to_bring",
            new_accounts=[one for one in ids if one not in here.accounts],
            new_people=sorted(newcomers),
            news=list(news),
            held=sorted(here.accounts),
        ),
    )
