"""Giving records of a sandbox the numbers that a subscription knows them by.

Both stores of a pair use the same numbers (docs/decisions/0006-surrogate-ids.md). Where both had data before
they were paired, the sandbox gives way: while it belongs to nobody its numbers stand in its own tables alone.
Whoever holds a number that the subscription has given to another gets a new one first.
"""

from collections.abc import Mapping
from typing import Any

from caravan.platform import sql

#: where the number of a record stands, by its table; a test asks the schema whether one is missing
FOLLOWING = {
    "accounts": (
        "renumber_accounts_in_relations",
        "renumber_accounts_in_opportunities",
        "renumber_accounts_in_activities",
        *(f"renumber_own_accounts_in_{table}" for table in ("opportunities", "activities")),
        "renumber_survivors_of_accounts",
    ),
    "people": (
        "renumber_people_in_relations",
        "renumber_people_in_activities",
        "renumber_people_in_erasures",
        "renumber_people_in_persona_questions",
        "renumber_own_people_in_activities",
        "renumber_survivors_of_people",
    ),
    "relations": (),
    "opportunities": (),
}
#: memberships of accounts and of people are in the same tables
OF_AUDIENCES = (
    "renumber_members_in_audience_members",
    "renumber_members_in_audience_flips",
    "renumber_members_in_audience_departures",
)
#: what is kept of records that are one, or may become it
OF_IDENTITY = (
    "renumber_own_words",
    "renumber_who_stands_for_them",
    "renumber_what_was_said_together",
    "renumber_match_keys",
    "renumber_merges_record",
    "renumber_merges_like",
    "renumber_merges_survivor",
    "renumber_kept_apart",
)
ENTITY_OF = {"accounts": "account", "people": "person", "relations": "relation"}


async def renumber(conn: Any, table: str, numbers: Mapping[int, int]) -> None:
    """Give records of a table other numbers.

    Args:
        conn: of the sandbox, in a transaction.
        table: accounts, people, relations or opportunities.
        numbers: old to new; the new ones are nobody's.
    """
    if not numbers:
        return
    moved = {"old": list(numbers), "new": list(numbers.values())}
    await sql.execute(conn, "let_numbers_move")
    await sql.execute(conn, f"renumber_{table}", **moved)
    for query in FOLLOWING[table]:
        await sql.execute(conn, query, **moved)
    if table in ("accounts", "people"):
        for query in OF_AUDIENCES:
            await sql.execute(conn, query, **moved, of=table)
    if table in ENTITY_OF:
        for query in OF_IDENTITY:
            await sql.execute(conn, query, **moved, entity=ENTITY_OF[table])
