"""Whether both stores of a pair say the same of the records that the engage store holds.

Record by record and field by field, in pages. What differs is looked at again after a while: what is on its
way between the stores, by either outbox, is no difference, nor is what changes while it is looked at.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.database import outbox
from caravan.database.outbox import Cursor
from caravan.journeys.events import EVENTS
from caravan.platform import down_flow, sql
from caravan.platform.merge import TABLES, Follow, stream_of

PAGE = 2000
#: differences that are looked at again and told one by one; of more only that there are more
MOST = 10_000
#: seconds after which what differs is looked at again
AGAIN = 2.0

#: "fields" that are a record's own columns
RECORD, DELETED = "(record)", "$deleted"
#: what names of tables and columns about buying groups have in them
GROUP_WORDS = "buying_?group|solution_?interest|roles_?template|stage_?model"
GROUP_EVENTS = sorted(name for name, event in EVENTS.items() if event.of_group)

#: which field of which record: entity, id, field
Place = tuple[str, int, str]


@dataclass(frozen=True)
class Difference:
    """A field that the two stores say something else of; ``(record)``: one of them has no such record."""

    entity: str
    id: int
    field: str
    external_id: str | None
    engage: Any
    platform: Any
    said_here: str | None  # when, by the engage store's stamp
    said_there: str | None

    @property
    def place(self) -> Place:
        """What it is about, whatever is said there."""
        return self.entity, self.id, self.field

    @property
    def engage_is_later(self) -> bool:
        """Whether the engage store's word counts: a later one does, and the Platform's on a tie."""
        if self.field == RECORD:
            return self.platform is None
        return self.said_here is not None and (self.said_there or "") < self.said_here


@dataclass
class Convergence:
    """What a comparison found."""

    compared: dict[str, int]  # records, by entity
    differences: list[Difference]
    under_way: int  # differing records with a change on its way
    more: bool  # whether there are more than were told of
    of_groups: list[str]  # what the Platform holds of buying groups, in words


async def compare(
    engage: Any,
    platform: Any,
    munchkin: str,
    told: Follow = lambda *_: None,
    *,
    again: float = AGAIN,
) -> Convergence:
    """Compare a pair.

    Args:
        engage: pool of the subscription.
        platform: pool of its sandbox.
        munchkin: the subscription.
        told: progress.
        again: seconds after which what differs is looked at a second time.
    """
    found = Convergence(dict.fromkeys(TABLES, 0), [], 0, False, await of_groups(platform))
    first = await _first_look(engage, platform, found, told)
    if first:
        await asyncio.sleep(again)
    for entity in TABLES:
        ids = {number for kind, number, _ in first if kind == entity}
        late = await _under_way(engage, platform, munchkin, entity, sorted(ids))
        found.under_way += len(late)
        found.differences += [
            one
            for one in await _look(engage, platform, entity, ids - late)
            if first.get(one.place) == (one.engage, one.platform)
        ]
    return found


async def _first_look(
    engage: Any, platform: Any, found: Convergence, told: Follow
) -> dict[Place, tuple[Any, Any]]:
    """Every record once: what differs, and how; counts what was compared."""
    seen: dict[Place, tuple[Any, Any]] = {}

    def note(differences: Iterable[Difference]) -> None:
        for one in differences:
            if len(seen) >= MOST:
                found.more = True
                return
            seen[one.place] = (one.engage, one.platform)

    for entity, table in TABLES.items():
        after = 0
        while rows := await sql.fetch(engage, f"page_of_{table}", after=after, limit=PAGE):
            after = rows[-1]["id"]
            ids = [row["id"] for row in rows]
            there = await sql.fetch(platform, f"these_{table}", ids=ids)
            note(_differences(entity, rows, there, ids))
            if entity == "account":
                for other, absent in (await _absent(engage, platform, ids)).items():
                    note(await _look(engage, platform, other, absent))
            found.compared[entity] += len(rows)
            told(table, found.compared[entity])
    return seen


async def of_groups(platform: Any) -> list[str]:
    """What a sandbox holds of buying groups, in words: nothing, or something is wrong."""
    relations = await sql.fetch(platform, "group_relations", words=GROUP_WORDS)
    activities = await sql.fetch(platform, "group_activities", types=GROUP_EVENTS)
    changes = await sql.fetch(platform, "group_changes", words=GROUP_WORDS)
    return [
        *(f"the table {row['relation']}" for row in relations),
        *(f"{row['number']} events {row['type']}" for row in activities),
        *(f"{row['number']} changes of {row['entity']}" for row in changes),
    ]


async def _look(engage: Any, platform: Any, entity: str, ids: Iterable[int]) -> list[Difference]:
    table, wanted = TABLES[entity], sorted(ids)
    found: list[Difference] = []
    for start in range(0, len(wanted), PAGE):
        page = wanted[start : start + PAGE]
        here = await sql.fetch(engage, f"these_{table}", ids=page)
        there = await sql.fetch(platform, f"these_{table}", ids=page)
        found += _differences(entity, here, there, page)
    return found


async def _absent(engage: Any, platform: Any, account_ids: list[int]) -> dict[str, list[int]]:
    """What the Platform has of accounts, and the engage store not."""
    wanted: dict[str, list[int]] = {}
    for row in await sql.fetch(platform, "belonging_to", account_ids=account_ids):
        wanted.setdefault(row["entity"], []).append(row["id"])
    absent = {}
    for entity, ids in wanted.items():
        here = await sql.fetch(engage, f"which_of_{TABLES[entity]}", ids=ids)
        if missing := set(ids) - {row["id"] for row in here}:
            absent[entity] = sorted(missing)
    return absent


async def _under_way(
    engage: Any, platform: Any, munchkin: str, entity: str, ids: list[int]
) -> set[int]:
    """Those of these records that one store has said something of which the other has not read yet."""
    if not ids:
        return set()
    late: set[int] = set()
    for writer, reader, stream in (
        (engage, platform, stream_of(munchkin)),
        (platform, engage, down_flow.STREAM),
    ):
        async with reader.acquire() as conn:
            cursor, _ = await outbox.where(conn, stream)
        rows = await sql.fetch(writer, "under_way", **_place(cursor), entity=entity, ids=ids)
        late |= {row["id"] for row in rows}
    return late


def _place(cursor: Cursor) -> dict[str, Any]:
    return {"epoch": cursor.epoch, "xid": cursor.xid, "seq": cursor.seq}


def _differences(
    entity: str, here: Sequence[Any], there: Sequence[Any], ids: Sequence[int]
) -> list[Difference]:
    engage = {row["id"]: row["record"] for row in here}
    platform = {row["id"]: row["record"] for row in there}
    found = []
    for one in ids:
        a, b = engage.get(one), platform.get(one)
        outside = (a or b or {}).get("external_id")
        found += [
            Difference(entity, one, name, outside, *values, _said(a, name), _said(b, name))
            for name, values in _fields(a, b).items()
        ]
    return found


def _fields(a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> dict[str, tuple[Any, Any]]:
    """What two rows of one record say differently."""
    if a == b:
        return {}
    if a is None or b is None:
        return {RECORD: (a and "here", b and "there")}
    if (survivor := a.get("merged_into")) is not None and survivor == b.get("merged_into"):
        return {}  # nobody reads such a row: what is said of its record is kept beside it
    here, there = a["attributes"], b["attributes"]
    pairs = {name: (here.get(name), there.get(name)) for name in sorted({*here, *there})}
    pairs[DELETED] = (_instant(a["deleted_at"]), _instant(b["deleted_at"]))
    pairs |= {
        name: (a.get(name), b.get(name))
        for name in ("external_id", "account_id", "person_id", "merged_into", "persona")
        if name in a
    }
    return {name: values for name, values in pairs.items() if values[0] != values[1]}


def _instant(text: str | None) -> str | None:
    return None if text is None else datetime.fromisoformat(text).isoformat()


def _said(record: Mapping[str, Any] | None, name: str) -> str | None:
    said: str | None = (record or {}).get("stamps", {}).get(name)
    return said
