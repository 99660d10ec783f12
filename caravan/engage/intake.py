"""Taking in what the Platform sends down: set-based, idempotent, and silent towards the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from caravan.engage import sql
from caravan.journeys.fields import PERSONA


@dataclass(frozen=True)
class FieldChange:
    """A field of a record that was here already and now is different."""

    entity: str  # account, person or opportunity
    id: int  # the account's for an opportunity
    field: str
    old: Any
    new: Any


async def take_in(conn: Any, bundle: Any) -> list[FieldChange]:
    """Upsert the records of a bundle; returns what changed in those that were here.

    Args:
        conn: of the engage store, in a transaction.
        bundle: rows of accounts, people, relations and opportunities.
    """
    await _lock(conn, bundle)
    # of those who are here already: a newcomer's persona is no change
    changes = await _take_personas(conn, bundle.people)
    for entity, table in (("account", "accounts"), ("person", "people")):
        rows = getattr(bundle, table)
        if rows:
            changed = await sql.fetch(
                conn,
                f"take_{table}",
                **_columns(rows),
                merged=[row["merged_into"] for row in rows],
            )
            changes += [_change(entity, row) for row in changed]
    await _take_personas(conn, [row for row in bundle.people if row["persona"] is not None])
    if bundle.relations:
        await sql.execute(
            conn,
            "take_relations",
            **_columns(bundle.relations, outside=False),
            account_ids=[row["account_id"] for row in bundle.relations],
            person_ids=[row["person_id"] for row in bundle.relations],
        )
    if bundle.opportunities:
        changed = await sql.fetch(
            conn,
            "take_opportunities",
            **_columns(bundle.opportunities),
            account_ids=[row["account_id"] for row in bundle.opportunities],
        )
        changes += [_change("opportunity", row) for row in changed]
    return changes


async def _take_personas(conn: Any, people: Sequence[Any]) -> list[FieldChange]:
    """People's personas as the Platform has told them; what changed of those who are here."""
    if not people:
        return []
    rows = await sql.fetch(
        conn,
        "take_personas",
        ids=[row["id"] for row in people],
        personas=[row["persona"] for row in people],
    )
    return [FieldChange("person", row["id"], PERSONA, row["old"], row["new"]) for row in rows]


async def _lock(conn: Any, bundle: Any) -> None:
    """Lock the records of a bundle, level by level, and the people whose activities it has among its own.

    These are counted behind the records, with locks of people outside the bundle too: taken then, they would not
    be in the order of id that everybody keeps.
    """
    await _lock_rows(conn, "accounts", bundle)
    people = {row["id"] for row in bundle.people}
    acting = {row["person_id"] for row in bundle.activities} - {None}
    accounts = {row["account_id"] for row in bundle.activities} - {None}
    if acting or accounts:
        await sql.fetch(
            conn,
            "share_accounts_touched",
            person_ids=sorted(people | acting),
            account_ids=sorted(accounts),
        )
    if acting:
        await sql.execute(conn, "lock_people_of_activities", ids=sorted(people | acting))
    else:
        await _lock_rows(conn, "people", bundle)
    await _lock_rows(conn, "relations", bundle)
    await _lock_rows(conn, "opportunities", bundle)


async def _lock_rows(conn: Any, table: str, bundle: Any) -> None:
    ids = [row["id"] for row in getattr(bundle, table)]
    if ids:
        await sql.execute(conn, f"lock_{table}", ids=ids)


def _columns(rows: Sequence[Any], *, outside: bool = True) -> dict[str, Any]:
    columns = {
        "ids": [row["id"] for row in rows],
        "attributes": [row["attributes"] for row in rows],
        "stamps": [row["stamps"] for row in rows],
        "deleted": [row["deleted_at"] for row in rows],
    }
    if outside:
        columns["external_ids"] = [row["external_id"] for row in rows]
    return columns


def _change(entity: str, row: Any) -> FieldChange:
    return FieldChange(entity, row["id"], row["field"], row["old"], row["new"])
