"""Indexes for the managed custom fields that audiences ask for: there while an audience does.

Fields are keys of one JSON column (docs/decisions/0001-attributes-as-json.md), so an index is of the expression
that the condition compiler writes for a field of that type. They are built and dropped beside whoever writes
(``concurrently``), and one that a killed process left half-built is built anew.
"""

import asyncio
import hashlib
import re
from typing import Any

from pydantic import TypeAdapter

from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.values import quoted, value_of
from caravan.journeys.field_uses import FieldUse, tested_fields
from caravan.journeys.fields import FieldType
from caravan.platform import sql
from caravan.platform.merge import TABLES

_condition: TypeAdapter[Condition] = TypeAdapter(Condition)
#: seconds between two tries where another process is at it
AGAIN = 0.2


async def keep_indexes(pool: Any) -> tuple[list[str], list[str]]:
    """Build the indexes that the stored audiences ask for and drop those that none asks for any more.

    Args:
        pool: of the sandbox.

    Returns:
        The names of those built, and of those dropped.
    """
    async with pool.acquire() as conn:
        # on a large table a build takes longer than any transaction of ours may
        await conn.execute("set transaction_timeout = 0")
        try:
            # not waited for within a statement: that would be waited for by who builds
            while not await sql.fetchval(conn, "try_to_keep_indexes"):  # noqa: ASYNC110
                await asyncio.sleep(AGAIN)
            try:
                return await _keep(conn)
            finally:
                await sql.execute(conn, "leave_indexes")
        finally:
            await conn.execute("reset transaction_timeout")


async def _keep(conn: Any) -> tuple[list[str], list[str]]:
    wanted = {
        index_name(use, kind): (use, kind)
        for row in await sql.fetch(conn, "conditions")
        for use, kind in tested_fields(_condition.validate_python(row["condition"]))
    }
    there = {row["name"]: row["valid"] for row in await sql.fetch(conn, "field_indexes")}
    dropped = [name for name, valid in there.items() if name not in wanted or not valid]
    for name in dropped:
        await conn.execute(f'drop index concurrently if exists "{name}"')
    built = [name for name in sorted(wanted) if name in dropped or name not in there]
    for name in built:
        use, kind = wanted[name]
        await conn.execute(
            f'create index concurrently "{name}" on {TABLES[use.entity]} {indexed(use.field, kind)}'
        )
    return built, [name for name in dropped if name not in built]


def index_name(use: FieldUse, kind: FieldType) -> str:
    """The name of a field's index: its table, what one can read of the field, and a hash of what is indexed."""
    digest = hashlib.sha256(indexed(use.field, kind).encode()).hexdigest()[:10]
    readable = re.sub(r"[^a-z0-9_]", "", use.field.lower())[:25]
    return f"field_{TABLES[use.entity]}_{readable}_{digest}"


def indexed(field: str, kind: FieldType) -> str:
    """The method and the expression of a field's index: what conditions compare.

    Text is folded, and hashed: it is looked up whole, and may be longer than a row of another index can be. A
    date's text sorts as the days do; to read it as a date depends on a setting, which no index may.
    """
    match kind:
        case "string":
            return f"using hash (casefold({value_of('attributes', field, kind)}))"
        case "date" | "datetime":
            return f'(left((attributes ->> {quoted(field)}), 10) collate "C")'
        case _:
            return f"({value_of('attributes', field, kind)})"
