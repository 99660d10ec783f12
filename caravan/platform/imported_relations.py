"""Relations of people with accounts, as rows of files tell of them.

Two files may speak of one: ``relations.csv``, and ``people.csv`` by its ``account_id`` and ``roles``. What each said
last is kept apart, so that neither undoes the other by saying again what it said before. Where both say
something new, the later word counts.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.platform import sql
from caravan.platform.csv_rows import Row
from caravan.platform.united_relations import ROLES, unite_relations


@dataclass(frozen=True)
class Related:
    """How many relations were new, and the rows by which any was written, by the pair they name."""

    new: int
    touched: Mapping[str, Row]


def pair_of(row: Row) -> str:
    """What a row of ``relations.csv`` is known by among all that its source said."""
    return json.dumps([row.account, row.person], ensure_ascii=False)


def shorthand_of(row: Row) -> str:
    """What the word of a row of ``people.csv`` about a relation is known by.

    The person stands second, as in the other: by that the words about somebody are found.
    """
    return json.dumps([row.account, row.person, "people.csv"], ensure_ascii=False)


async def relate(
    conn: Any,
    source: str,
    rows: Collection[Row],
    key_of: Callable[[Row], str],
    fields: Collection[str],
    at: datetime,
) -> Related:
    """Write what rows that name an account and a person say of their relation, in a transaction.

    Args:
        conn: of the sandbox; holds ``one_writer``.
        source: who says it.
        rows: accounts and people of theirs are there.
        key_of: ``pair_of`` or ``shorthand_of``, by the file they are of.
        fields: which of a row's cells are the relation's.
        at: domain time, of rows that do not tell their own.
    """
    keyed = {key_of(row): row for row in rows}
    if not keyed:
        return Related(0, {})
    pairs: dict[str, Any] = {
        "accounts": [row.account for row in keyed.values()],
        "people": [row.person for row in keyed.values()],
    }
    counts = await sql.fetchrow(
        conn,
        "import_relations",
        source=source,
        external_ids=list(keyed),
        digests=[row.digest for row in keyed.values()],
        cells=[_cells(row, fields) for row in keyed.values()],
        ats=[row.at or at for row in keyed.values()],
        **pairs,
    )
    if await sql.fetchval(conn, "is_anything_united"):
        named = await sql.fetch(conn, "relations_named", **pairs)
        await unite_relations(conn, [row["id"] for row in named], at)
    return Related(counts["new"], {key: keyed[key] for key in counts["touched"]})


def _cells(row: Row, fields: Collection[str]) -> dict[str, Any]:
    cells = {name: value for name, value in row.cells.items() if name in fields}
    return cells if row.roles is None else cells | {ROLES: list(row.roles) or None}
