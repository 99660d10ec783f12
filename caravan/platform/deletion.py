"""Deletion in the Platform: a flag on the record, told in the outbox like any other change.

Nothing is removed: a deleted record is in no audience, and the down-flow takes the flag to the engage
store, where its account leaves its journeys (``caravan.campaigns.departure``). A row of a file that
has it again, or ``restore``, takes the flag off. Personal data are removed by erasing a person, not by this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.database.outbox import nudge
from caravan.journeys.fields import Entity
from caravan.platform import identity, sql, uniting
from caravan.platform.csv_rows import Row
from caravan.platform.united_relations import unite_relations

TABLES: dict[Entity, str] = {
    "account": "accounts",
    "person": "people",
    "opportunity": "opportunities",
    "relation": "relations",
}


async def delete(conn: Any, entity: Entity, ids: Sequence[int], at: datetime) -> int:
    """Flag records as deleted.

    Said of one that stands for others, it is of all of them.

    Args:
        conn: of the sandbox, in a transaction.
        entity: what they are.
        ids: surrogate ids.
        at: domain time.

    Returns:
        How many were not deleted before; doing it again does nothing.
    """
    return len(await _flag(conn, entity, await _all_of(conn, entity, ids, at), at, deleted=True))


async def restore(conn: Any, entity: Entity, ids: Sequence[int], at: datetime) -> int:
    """Take the flag off; somebody who was erased stays so. As ``delete``.

    Who is there again may be like somebody by a rule that looked at the others meanwhile.
    """
    there = await _flag(conn, entity, await _all_of(conn, entity, ids, at), at, deleted=False)
    if entity in ("account", "person"):
        await identity.settle(conn, entity, there, at)
    return len(there)


@dataclass(frozen=True)
class Settled:
    """Records whose flag is another now, by number, each with the row of a file that says so."""

    deleted: Mapping[int, Row]
    returned: Mapping[int, Row]

    @property
    def rows(self) -> list[Row]:
        return [*self.deleted.values(), *self.returned.values()]


async def settle(conn: Any, entity: Entity, rows: Sequence[Row], at: datetime) -> Settled:
    """Flag what rows of a file say is deleted, and take the flag off what they say is there.

    It is a source's word about its own record, whoever stands for that one. In the transaction that imported
    them.
    """
    gone = [row for row in rows if row.is_deleted]
    there = [row for row in rows if not row.is_deleted]
    return Settled(
        deleted=await _flag_said(conn, entity, gone, at, deleted=True),
        returned=await _flag_said(conn, entity, there, at, deleted=False),
    )


async def find(conn: Any, entity: Entity, external_id: str) -> Any:
    """A record by its outside id, with the flag; None where there is none."""
    return await sql.fetchrow(conn, f"find_{TABLES[entity]}", external_id=external_id)


async def _flag(
    conn: Any, entity: Entity, said: Mapping[int, datetime], at: datetime, *, deleted: bool
) -> list[int]:
    """Flag records as deleted since an instant each, or as there again; returns whose flag is another now."""
    if not said:
        return []
    await sql.execute(conn, "one_writer")
    united = {
        row["id"] for row in await sql.fetch(conn, "survivors_of", entity=entity, ids=sorted(said))
    }
    alone = sorted(said.keys() - united)
    rows = await sql.fetch(
        conn,
        f"{'delete' if deleted else 'restore'}_{TABLES[entity]}",
        ids=alone,
        ats=[said[one] for one in alone],
        entity=entity,
    )
    own = {one: said[one] for one in sorted(united)}
    flagged = await uniting.flag(conn, entity, own, deleted=deleted)
    if entity == "relation":
        await unite_relations(conn, list(flagged), at)
    elif entity in ("account", "person"):
        await uniting.refold(conn, entity, set(flagged.values()), at)
    await nudge(conn)
    return [*(row["id"] for row in rows), *flagged]


async def _all_of(
    conn: Any, entity: Entity, ids: Sequence[int], at: datetime
) -> dict[int, datetime]:
    said = dict.fromkeys(ids, at)
    if entity not in ("account", "person"):
        return said
    await sql.execute(conn, "one_writer")
    return await uniting.with_all_of(conn, entity, said)


async def _flag_said(
    conn: Any, entity: Entity, rows: Sequence[Row], at: datetime, *, deleted: bool
) -> dict[int, Row]:
    """Flag records as rows say of them, as deleted or as there again; those whose flag is another now."""
    said = await _said(conn, entity, rows, at, deleted=not deleted)
    since = {one: row.at or at for one, row in said.items()}
    return {one: said[one] for one in await _flag(conn, entity, since, at, deleted=deleted)}


async def _said(
    conn: Any, entity: Entity, rows: Sequence[Row], at: datetime, *, deleted: bool
) -> dict[int, Row]:
    """Records that rows speak of and that have the flag, or have it not, each with its row."""
    if not rows:
        return {}
    if entity == "relation":
        pairs = {"accounts": [row.account for row in rows], "people": [row.person for row in rows]}
        found = await sql.fetch(conn, "related_by", **pairs, deleted=deleted)
    else:
        ids = [row.id for row in rows]
        found = await sql.fetch(
            conn, f"flagged_{TABLES[entity]}", entity=entity, external_ids=ids, deleted=deleted
        )
    return {row["id"]: rows[row["place"] - 1] for row in found}
