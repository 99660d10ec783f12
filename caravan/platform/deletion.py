"""Deletion in the Platform: a flag on the record, told in the outbox like any other change.

Nothing is removed: a deleted record is in no audience, and the down-flow takes the flag to the engage
store, where its account leaves its journeys (``caravan.campaigns.departure``). A row of a file that
has it again, or ``restore``, takes the flag off. Personal data are removed by erasing a person, not by this.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from caravan.database.outbox import nudge
from caravan.journeys.fields import Entity
from caravan.platform import sql
from caravan.platform.csv_rows import Row

TABLES: dict[Entity, str] = {
    "account": "accounts",
    "person": "people",
    "opportunity": "opportunities",
    "relation": "relations",
}


async def delete(conn: Any, entity: Entity, ids: Sequence[int], at: datetime) -> int:
    """Flag records as deleted, whoever finds them gone: an operator, a source, a merge.

    Args:
        conn: of the sandbox, in a transaction.
        entity: what they are.
        ids: surrogate ids.
        at: domain time.

    Returns:
        How many were not deleted before; doing it again does nothing.
    """
    return await _flag(conn, "delete", entity, ids, at)


async def restore(conn: Any, entity: Entity, ids: Sequence[int], at: datetime) -> int:
    """Take the flag off; somebody who was erased stays so. As ``delete``."""
    return await _flag(conn, "restore", entity, ids, at)


async def settle(conn: Any, entity: Entity, rows: Sequence[Row], at: datetime) -> None:
    """Flag what rows of a file say is deleted, and take the flag off what they say is there.

    In the transaction that imported them.
    """
    gone = [row for row in rows if row.is_deleted]
    there = [row for row in rows if not row.is_deleted]
    for among, flag in ((gone, delete), (there, restore)):
        if among:
            found = await _ids(conn, entity, among, deleted=flag is restore)
            await flag(conn, entity, found, at)


async def find(conn: Any, entity: Entity, external_id: str) -> Any:
    """A record by its outside id, with the flag; None where there is none."""
    return await sql.fetchrow(conn, f"find_{TABLES[entity]}", external_id=external_id)


async def _flag(conn: Any, verb: str, entity: Entity, ids: Sequence[int], at: datetime) -> int:
    if not ids:
        return 0
    rows = await sql.fetch(conn, f"{verb}_{TABLES[entity]}", ids=sorted(ids), entity=entity, at=at)
    await nudge(conn)
    return len(rows)


async def _ids(conn: Any, entity: Entity, rows: Sequence[Row], *, deleted: bool) -> list[int]:
    if entity == "relation":
        found = await sql.fetch(
            conn,
            "related_by",
            accounts=[row.account for row in rows],
            people=[row.person for row in rows],
            deleted=deleted,
        )
    else:
        found = await sql.fetch(
            conn,
            f"flagged_{TABLES[entity]}",
            external_ids=[row.id for row in rows],
            deleted=deleted,
        )
    return [row["id"] for row in found]
