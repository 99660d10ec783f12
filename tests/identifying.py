"""Steps of tests about sources and identity: import for a source, and look at what the records are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from caravan.journeys.documents import SourceDocument
from caravan.platform import identity, sql
from caravan.platform.file_maps import FileSource, file_source
from caravan.platform.import_report import FileReport
from caravan.platform.imports import Importer
from caravan.platform.uniting import Entity
from tests.world import World

RULES = """
identity: people-by-email
of: people
match: [email]
---
identity: accounts-by-domain
of: accounts
match: [domain]
"""


@dataclass(frozen=True)
class Record:
    """A record that stands for itself or others: by its outside id."""

    fields: dict[str, Any]
    of: frozenset[str]


async def bring(
    world: World,
    source: str,
    name: str,
    text: str,
    *,
    at: datetime | None = None,
    document: SourceDocument | None = None,
    bad: int = 0,
) -> FileReport:
    """Import a file of a source, given as text."""
    path = world.write(f"data/{source}/{name}", text)
    whose = file_source(path, source, document) or FileSource(source)
    importer = Importer(
        world.platform,
        world.catalog,
        at or world.now,
        lambda *_: None,
        whose=whose,
    )
    report = await importer.file(path)
    assert len(report.bad) == bad, report.bad
    return report


async def with_rules(world: World, documents: str = RULES) -> None:
    """Store rules as a workspace that is applied does."""
    workspace = world.workspace(documents)
    async with world.platform.acquire() as conn, conn.transaction():
        await identity.store_rules(conn, list(workspace.identity_rules.values()))
    while await identity.match_page(world.platform, world.now) is not None:
        pass


async def records(pool: Any, table: str = "people") -> dict[str, Record]:
    """The records that stand for themselves or others, by the least of the outside ids they are of."""
    rows = await pool.fetch(
        f"select coalesce(merged_into, id) as id, external_id, attributes, merged_into, deleted_at from {table}"
    )
    of: dict[int, set[str]] = {}
    for row in rows:
        of.setdefault(row["id"], set()).add(row["external_id"])
    return {
        min(of[row["id"]]): Record(row["attributes"], frozenset(of[row["id"]]))
        for row in rows
        if row["merged_into"] is None and row["deleted_at"] is None
    }


async def unmerge(world: World, entity: Entity, external_id: str, why: str = "a mistake") -> int:
    """Take a record out; returns how many parts there are then."""
    table = "people" if entity == "person" else "accounts"
    async with world.platform.acquire() as conn, conn.transaction():
        await sql.execute(conn, "one_writer")
        number = await conn.fetchval(f"select id from {table} where external_id = $1", external_id)
        return len(await identity.unmerge(conn, entity, number, why, world.now))


def later(world: World, **span: int) -> datetime:
    return world.now + timedelta(**span)
