"""Both stores agree in the end: edits on both sides, at any instant, while the streams are broken off anywhere."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from caravan.campaigns import audience_flow
from caravan.database.pool import Pool
from caravan.engage import sql
from caravan.platform import convergence, sync
from caravan.platform.record_changes import RecordChange, apply_change
from caravan.stores import Stores
from tests.grouping import Documents, Grouping
from tests.interrupted import Interrupted
from tests.world import World

JOURNEY = """
journey: j
audience: everyone
schedule: {end: 30 days}
start: n
nodes:
  n: {wait: 20 days}
"""
ACCOUNTS, PEOPLE = ("a", "b"), ("p", "q", "r")
#: few, so that both sides often speak of the same
WORDS = (
    ("account", "a", "name"),
    ("account", "a", "city"),
    ("person", "p", "city"),
    ("person", "q", "email"),
    ("opportunity", "o", "stage"),
)
VALUES = ("Oslo", "Bergen", None)
TABLES = {
    "account": "accounts",
    "person": "people",
    "opportunity": "opportunities",
    "relation": "relations",
}
#: of the streams' code; a page of them has fewer
RESTS = 30
#: what is said of buying groups here, and nowhere else
GROUP_WORD = "grid"


class Pair:
    """A world whose two sides are edited while the streams come and go."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = random.Random(seed)

    async def begin(self) -> None:
        world = self.world
        workspace = world.workspace(JOURNEY)
        await world.load(
            workspace,
            accounts="account_id,name\na,A\nb,B\n",
            people="person_id,email,account_id\np,p@x.example,a\nq,q@x.example,a\nr,r@x.example,b\n",
            opportunities="opportunity_id,account_id,name\no,a,Deal\n",
        )
        await world.enter(await world.publish(workspace, "j"))
        groups = Grouping(world)
        await groups.store(Documents())
        await groups.group("a")
        await world.happen("buying_group_stage_changed", account="a", solution_interest="grid")

    async def step(self) -> None:
        """Whatever comes next."""
        self.world.pass_time(seconds=self.dice.choice((0, 0, 1, 60)))
        what = self.dice.choice(
            (self.edit_here, self.edit_there, self.edit_here, self.edit_there, self.delete_here,
             self.delete_there, self.relate, self.up, self.down)
        )  # fmt: skip
        await what()

    def _word(self) -> tuple[str, str, str, Any]:
        return *self.dice.choice(WORDS), self.dice.choice(VALUES)

    async def edit_here(self, lateness: tuple[int, ...] = (0, 0, 1, 300)) -> None:
        """As a journey writes, perhaps with an instant of seconds before."""
        entity, key, name, value = self._word()
        at = self.world.now - timedelta(seconds=self.dice.choice(lateness))
        async with self.world.engage.acquire() as conn, conn.transaction():
            record = await conn.fetchval(
                f"select id from {TABLES[entity]} where external_id = $1", key
            )
            fields = {name: value}
            if entity == "account":
                await sql.execute(
                    conn, "set_account_field", id=record, field=name, fields=fields, at=at
                )
                return
            if entity == "person":
                rows = await sql.fetch(
                    conn, "set_person_fields", ids=[record], fields=[fields], field=name, at=at
                )
            else:
                rows = await sql.fetch(
                    conn, "set_opportunity_fields", ids=[record], fields=fields, field=name, at=at
                )
            ids = [row["id"] for row in rows]
            await sql.execute(
                conn, "write_changes", entity=entity, ids=ids, fields=[fields] * len(ids), at=at
            )

    async def edit_there(self) -> None:
        """As a source of the Platform writes."""
        entity, key, name, value = self._word()
        change = RecordChange(entity, key, None, None, {name: value})  # type: ignore[arg-type]
        async with self.world.platform.acquire() as conn, conn.transaction():
            await apply_change(conn, change, self.world.now)

    async def relate(self) -> None:
        """Somebody joins another account, or has another role there."""
        account, person = self.dice.choice(ACCOUNTS), self.dice.choice(PEOPLE)
        roles = (self.dice.choice(("buyer", "user")),)
        change = RecordChange("relation", f"{account}/{person}", account, person, {}, roles)
        async with self.world.platform.acquire() as conn, conn.transaction():
            await apply_change(conn, change, self.world.now)

    async def delete_here(self) -> None:
        await self._delete(self.world.engage, "journey")

    async def delete_there(self) -> None:
        await self._delete(self.world.platform, "import")

    async def _delete(self, pool: Pool, origin: str) -> None:
        """Flag somebody or something as deleted, or take it back."""
        entity = self.dice.choice(sorted(TABLES))
        at = self.world.now
        async with pool.acquire() as conn, conn.transaction():
            record = await conn.fetchval(
                f"select id from {TABLES[entity]} order by id offset $1 limit 1",
                self.dice.randint(0, 1),
            )
            gone = self.dice.choice((at, None))
            query = sql.sql(f"flag_{TABLES[entity]}").replace("'journey'", f"'{origin}'")
            values = {"entity": entity, "ids": [record], "deleted_at": gone, "at": at}
            await conn.fetch(query, *(values[name] for name in sql.parameters("flag_accounts")))

    async def up(self) -> None:
        world = self.world
        await self._perhaps_broken_off(
            lambda: sync.drain_page(world.engage, world.platform, world.munchkin, world.now)
        )

    async def down(self) -> None:
        world = self.world
        await self._perhaps_broken_off(
            lambda: audience_flow.follow_page(world.engage, world.platform, world.plans, world.now)
        )

    async def _perhaps_broken_off(self, page: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Move a page: through, or cancelled, or with the process gone, at any of its rests."""
        at = self.dice.choice((0, self.dice.randint(1, RESTS)))
        dies = self.dice.choice((True, False))

        async def run() -> None:
            task = asyncio.current_task()
            assert task is not None
            await Interrupted(page(), at, self._cut if dies else task.cancel)

        with suppress(
            asyncio.CancelledError,
            OSError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,  # cut while a connection was given back
        ):
            await asyncio.create_task(run())
        if self.world.engage.is_closing():
            await self._start_anew()

    def _cut(self) -> None:
        self.world.engage.terminate()
        self.world.platform.terminate()

    async def _start_anew(self) -> None:
        old = self.world.stores
        self.world.stores = Stores(old.platform_dsn, old.engage_dsn, pool_size=4)
        self.world.engage = await self.world.stores.engage(self.world.munchkin)
        self.world.platform = await self.world.stores.platform(self.world.munchkin)

    async def settle(self) -> None:
        """Everything drains, as it does when nobody disturbs."""
        world = self.world
        for _ in range(10):
            moved = await sync.drain_page(
                world.engage, world.platform, world.munchkin, world.now
            ) + await audience_flow.follow_page(
                world.engage, world.platform, world.plans, world.now
            )
            if not moved:
                return
        raise AssertionError("the stores send each other their words without end")


async def compared(world: World) -> convergence.Convergence:
    return await convergence.compare(world.engage, world.platform, world.munchkin, again=0)


async def with_word(pool: Pool, word: str) -> list[str]:
    """The tables of a store that have a word in them anywhere."""
    tables = await pool.fetch(
        "select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'"
    )
    return [
        table["relname"]
        for table in tables
        if await pool.fetchval(
            f"select exists (select from \"{table['relname']}\" t where t::text like '%{word}%')"
        )
    ]


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(n, marks=pytest.mark.long) for n in range(4, 60))]
)
async def test_stores_agree_whatever_was_edited_and_wherever_the_streams_broke_off(
    world: World, seed: int
) -> None:
    pair = Pair(world, seed)
    await pair.begin()
    for _ in range(30):
        await pair.step()
    await pair.settle()
    for _ in range(4):  # what comes too late, and no later word of the Platform's takes along
        await pair.edit_here(lateness=(300,))
    await pair.settle()
    found = await compared(world)
    assert found.differences == []
    assert found.under_way == 0
    assert found.compared["account"] == 2
    assert found.of_groups == []
    assert await with_word(world.engage, GROUP_WORD)
    assert await with_word(world.platform, GROUP_WORD) == []
