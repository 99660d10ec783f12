"""The first load of a pair: what the subscription holds already comes up before anybody works on the pair.

Accounts, people, relations and opportunities alone, page by page; each page commits with its place, so a load
that was killed goes on where it was, and one that runs beside another changes nothing. The Platform decides by
field, as in the up-flow; records that both stores have take the numbers of the subscription.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caravan.database import erasures, outbox
from caravan.database.erasures import ErasureKey
from caravan.database.outbox import Cursor, advance_cursor, lock_cursor
from caravan.platform import activity_stream, sql, uniting
from caravan.platform.erased_rows import erased_addresses, erased_people
from caravan.platform.folding import DELETED
from caravan.platform.merge import TABLES, Follow, stream_of
from caravan.platform.renumbering import renumber
from caravan.platform.united_relations import unite_relations

PAGE = 5000
ORDER = tuple(TABLES)  # a relation behind its account and its person


@dataclass
class Loaded:
    """What came up."""

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES.values(), 0))
    matched: int = 0  # records that both stores had
    renumbered: int = 0  # records of the sandbox that have other numbers now
    # by number, outside ids of people whom one of the two was told to forget and the other still holds
    to_erase: dict[int, str] = field(default_factory=dict)


def load_stream(munchkin: str) -> str:
    """The name of the cursor that a load leaves at its end, until the two are unpaired."""
    return f"load:{munchkin}"


class FirstLoad:
    """Loads one subscription up into its sandbox."""

    def __init__(
        self, engage: Any, platform: Any, munchkin: str, key: ErasureKey | None, at: datetime
    ) -> None:
        """
        Args:
            engage: pool of the subscription.
            platform: pool of the sandbox.
            munchkin: the subscription.
            key: as ERASURE_KEY says; needed where somebody was erased from either.
            at: when, for what is told to the sandbox's outbox.
        """
        self._engage, self._platform = engage, platform
        self._munchkin, self._key, self._at = munchkin, key, at
        self._stream = load_stream(munchkin)
        self.loaded = Loaded()

    async def run(self, told: Follow = lambda *_: None) -> Loaded:
        """Load what has not been loaded yet.

        Raises:
            ErasureKeyMissing: who was erased cannot be told.
        """
        at = await self._begin()
        while (page := await self._page(at)) is not None:
            entity, rows = page
            at = await self._apply(entity, rows, at)
            told(TABLES[entity], self.loaded.rows[TABLES[entity]])
        await self._find_the_erased()
        async with self._platform.acquire() as conn:
            await sql.execute(conn, "look_at_all_again")
            await sql.execute(conn, "question_everybody_with_a_title")
        return self.loaded

    async def _begin(self) -> Cursor:
        """Once a load: from where the up-flow goes on behind it, numbers for newcomers, and who was erased."""
        async with self._engage.acquire() as conn:
            # before anything is read: what is written meanwhile comes up by the outbox
            horizon = await outbox.horizon(conn)
            highest = await sql.fetchval(conn, "highest_number")
            erased = await sql.fetch(conn, "erasures_here")
        async with self._platform.acquire() as conn, conn.transaction():
            at = await lock_cursor(conn, self._stream)
            if at != Cursor():
                return at
            up = stream_of(self._munchkin)
            await lock_cursor(conn, up)
            await advance_cursor(conn, up, horizon, 0, self._at)
            await outbox.set_back(conn, activity_stream.stream_of(self._munchkin))
            await sql.execute(conn, "forget_what_was_told")
            await sql.execute(conn, "forget_segments")
            await sql.execute(conn, "raise_numbers", beyond=highest)
            await sql.execute(
                conn,
                "bring_erasures",
                hashes=[row["hash"] for row in erased],
                ofs=[row["of"] for row in erased],
                key_ids=[row["key_id"] for row in erased],
                person_ids=[row["person_id"] for row in erased],
                ats=[row["at"] for row in erased],
            )
            await erasures.in_force(conn, self._key)
            begun = _place(0, 0)
            await advance_cursor(conn, self._stream, begun, 0, self._at)
            return begun

    async def _page(self, at: Cursor) -> tuple[str, list[Any]] | None:
        """The next rows of the subscription, of the table that the load is at or of one behind it."""
        step, after = at.epoch - _FIRST, at.seq
        async with self._engage.acquire() as conn:
            for entity in ORDER[step:]:
                rows = await sql.fetch(conn, f"read_{TABLES[entity]}", after=after, limit=PAGE)
                if rows:
                    return entity, rows
                after = 0
        return None

    async def _apply(self, entity: str, rows: list[Any], at: Cursor) -> Cursor:
        table = TABLES[entity]
        behind = _place(ORDER.index(entity), rows[-1]["id"])
        async with self._platform.acquire() as conn, conn.transaction():
            reached = await lock_cursor(conn, self._stream)
            if reached != at:
                return reached  # another has loaded it
            await sql.execute(conn, "one_writer")
            await sql.execute(conn, "lock_to_edit")
            # of who is to be erased too: a number is to mean one person in both
            self.loaded.renumbered += await self._agree_on_numbers(conn, table, rows)
            if entity == "person":
                erased = await self._erased_among(conn, rows)
                rows = [row for row in rows if row["id"] not in erased]
            same = _records(rows)
            matched = await sql.fetch(conn, f"load_{table}", **same, entity=entity, at=self._at)
            await sql.execute(conn, f"add_{table}", **same, **_belongings(table, rows), at=self._at)
            known = [row["id"] for row in matched]
            await self._settle_unified(conn, entity, rows, matched)
            if entity in ("account", "person"):
                await sql.execute(conn, f"announce_{entity}_id", ids=known, at=self._at)
            await advance_cursor(conn, self._stream, behind, len(rows), self._at)
        self.loaded.rows[table] += len(rows)
        self.loaded.matched += len(known)
        return behind

    async def _settle_unified(
        self, conn: Any, entity: str, rows: list[Any], matched: list[Any]
    ) -> None:
        """What came up of records that are one with others is a word about them, and what belongs to them follows."""
        if not await sql.fetchval(conn, "is_anything_united"):
            return
        if entity == "relation":
            await unite_relations(conn, [row["id"] for row in rows], self._at)
        elif entity == "opportunity":
            accounts = sorted({row["account_id"] for row in rows})
            await sql.fetch(conn, "repoint_opportunities", account_ids=accounts)
        else:
            whole: uniting.Entity = "account" if entity == "account" else "person"
            said = {row["id"]: row for row in rows}
            for one in (row for row in matched if row["is_one"] and row["later"]):
                fields = json.loads(said[one["id"]]["attributes"])
                for name, later in one["later"].items():
                    value = later if name == DELETED else fields.get(name)
                    if name == DELETED and said[one["id"]]["deleted_at"] is None:
                        value = None
                    word = (one["id"], {name: value}, datetime.fromisoformat(later))
                    await uniting.say(conn, whole, [word], self._at)

    async def _agree_on_numbers(self, conn: Any, table: str, rows: Sequence[Any]) -> int:
        """Have the sandbox call these records what the subscription calls them; returns whom it renumbered."""
        ids, names = [row["id"] for row in rows], _names(table, rows)
        own = {
            row["id"] for row in await sql.fetch(conn, f"own_numbers_in_{table}", ids=ids, **names)
        }
        wanted = [one for one in ids if one not in own]
        count = 0
        for other in TABLES.values():  # a number is one record's of all four
            held = wanted if other == table else ids
            taken = await sql.fetch(conn, f"numbers_taken_in_{other}", ids=held)
            await renumber(conn, other, {row["old"]: row["new"] for row in taken})
            count += len(taken)
        stray = await sql.fetch(conn, f"other_numbers_in_{table}", ids=ids, **names)
        await renumber(conn, table, {row["old"]: row["new"] for row in stray})
        return count + len(stray)

    async def _erased_among(self, conn: Any, rows: Sequence[Any]) -> dict[int, str]:
        """Those of these people whom either store was told to forget, by their id or their address."""
        alive = [row for row in rows if row["erased_at"] is None]
        people = await erased_people(conn, self._key, [row["external_id"] for row in alive])
        addresses = await erased_addresses(
            conn, self._key, [row["email"] for row in alive if row["email"]]
        )
        return {
            row["id"]: row["external_id"]
            for row in alive
            if row["external_id"] in people or row["email"] in addresses
        }

    async def _find_the_erased(self) -> None:
        """People of either store whom one of the two was told to forget; looked for whole, by a second try too."""
        async with self._platform.acquire() as conn:  # which knows of both by now
            if await erasures.in_force(conn, self._key) is None:
                return
        for pool in (self._engage, self._platform):
            after = 0
            while rows := await sql.fetch(pool, "read_people", after=after, limit=PAGE):
                async with self._platform.acquire() as conn:
                    self.loaded.to_erase |= await self._erased_among(conn, rows)
                after = rows[-1]["id"]


#: a cursor of before anything was loaded has epoch 1
_FIRST = 2


def _place(step: int, after: int) -> Cursor:
    """Where a load is: behind a record of the table of a step."""
    return Cursor(epoch=_FIRST + step, seq=after)


def _names(table: str, rows: Sequence[Any]) -> dict[str, Any]:
    """What records are known by outside; a relation by its two ends."""
    if table == "relations":
        return {
            "account_ids": [row["account_id"] for row in rows],
            "person_ids": [row["person_id"] for row in rows],
        }
    return {"external_ids": [row["external_id"] for row in rows]}


def _records(rows: Sequence[Any]) -> dict[str, Any]:
    return {
        "ids": [row["id"] for row in rows],
        "attributes": [row["attributes"] for row in rows],
        "stamps": [row["stamps"] for row in rows],
        "deleted": [row["deleted_at"] for row in rows],
    }


def _belongings(table: str, rows: Sequence[Any]) -> dict[str, Any]:
    more = _names(table, rows)
    if table == "people":
        more["erased"] = [row["erased_at"] for row in rows]
    if table == "opportunities":
        more["account_ids"] = [row["account_id"] for row in rows]
    return more
