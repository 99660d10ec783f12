"""Why a record is what it is: which records of which sources make it, and whose word each field has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.platform import sql, uniting
from caravan.platform.folding import ALONE, Word
from caravan.platform.stamps import stamp
from caravan.platform.uniting import TABLE, Entity, Unified

#: what no file said: journeys, links, pages and APIs write records too
HERE = "written here"
TOGETHER = "said of all of them"


@dataclass(frozen=True)
class Found:
    """A record somebody asks about."""

    entity: Entity
    id: int
    external_id: str
    survivor_id: int


@dataclass(frozen=True)
class SourceRecord:
    """What one source says under an id of its own."""

    record: str
    source: str
    source_id: str
    stands_for_all: bool
    said_at: datetime | None
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class FieldSaid:
    """A field of the unified record: whose word it has, and what the others say."""

    field: str
    value: Any
    as_of: str
    record: str
    source: str
    why: str
    others: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Explanation:
    """A record, taken apart without touching it."""

    found: Found
    survivor: str
    sources: list[SourceRecord]
    fields: list[FieldSaid]
    merges: list[Any]


async def find(conn: Any, key: str, of: Entity | None = None) -> list[Found]:
    """The records that an outside id or an address names; those that are one with others each."""
    found = []
    for entity, table in TABLE.items():
        if of not in (None, entity):
            continue
        rows = await sql.fetch(conn, f"find_records_of_{table}", key=key)
        if not rows and entity == "person":
            rows = await sql.fetch(conn, "find_people_at", key=key)
        found += [
            Found(entity, row["id"], row["external_id"], row["survivor_id"])
            for row in rows
            if not row["gone"]
        ]
    return found


async def explain(conn: Any, found: Found) -> Explanation:
    """Explain the unified record that a record is part of; one that stands alone is explained the same."""
    table = TABLE[found.entity]
    rows = await sql.fetch(conn, f"one_with_{table}", survivor_id=found.survivor_id)
    unified = (await uniting.words(conn, found.entity, [found.survivor_id])).get(found.survivor_id)
    if unified is None:
        [alone] = rows
        unified = Unified(
            {alone["id"]: Word(alone["external_id"], alone["attributes"], alone["stamps"])}
        )
    said = await sql.fetch(
        conn, "said_by_sources", table=table, external_ids=[row["external_id"] for row in rows]
    )
    survivor = next(row["external_id"] for row in rows if row["stands_for_all"])
    merges = await sql.fetch(
        conn,
        "recent_merges",
        entity=found.entity,
        ids=[row["id"] for row in rows],
        limit=None,
    )
    return Explanation(
        found=found,
        survivor=survivor,
        sources=[_source_record(row, survivor) for row in said],
        fields=_fields(unified, said),
        merges=[dict(row) for row in merges],
    )


def _source_record(row: Any, survivor: str) -> SourceRecord:
    source, record = row["source"], row["external_id"]
    return SourceRecord(
        record=record,
        source=source,
        source_id=record.removeprefix(f"{source}:"),
        stands_for_all=record == survivor,
        said_at=row["as_of"],
        fields={name: value for name, value in row["cells"].items() if value is not None},
    )


def _fields(unified: Unified, said: list[Any]) -> list[FieldSaid]:
    folded = unified.fold()
    words = [*unified.own.values(), *([unified.together] if unified.together else [])]
    told = []
    for field, winner in folded.winners.items():
        value = folded.fields.get(field)
        others = tuple(
            {
                "record": word.name or TOGETHER,
                "value": word.fields.get(field),
                "as_of": word.stamps[field],
            }
            for word in words
            if word is not winner.word and field in word.stamps
        )
        if value is None and not others:
            continue
        told.append(
            FieldSaid(
                field=field,
                value=value,
                as_of=winner.word.stamps.get(field, folded.stamps[field]),
                record=winner.word.name or TOGETHER,
                source=_source_of(winner.word, field, said),
                why=winner.why if others else ALONE,
                others=others,
            )
        )
    return told


def _source_of(word: Word, field: str, said: list[Any]) -> str:
    """Which source said it of the record, or that none did."""
    for row in said:
        if row["external_id"] != word.name or field not in row["cells"]:
            continue
        as_of = row["stamps"].get(field) or (stamp(row["as_of"]) if row["as_of"] else None)
        if as_of in (None, word.stamps.get(field)):
            return str(row["source"])
    return HERE
