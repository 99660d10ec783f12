"""Rehearsing an import: for minutes if need be, beside others who wait for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from caravan.engage import sql as engage_sql
from caravan.platform import sql
from caravan.platform.dry_run import dry_run
from caravan.platform.imports import Importer
from caravan.stores import Stores
from starter.errors import FAILED
from starter.sentences import sentence
from tests.world import World

ACCOUNTS = "account_id,name\na,Acme\n"


@pytest.fixture
async def hurried(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    """The world's stores for whom any transaction may take half a second."""
    monkeypatch.setattr("caravan.database.pool.TRANSACTION_TIMEOUT", "500ms")
    stores = Stores(world.stores.platform_dsn, world.stores.engage_dsn, pool_size=2)
    yield stores
    await stores.close()


async def rest(conn: Any) -> None:
    await conn.execute("select pg_sleep(1)")


@pytest.mark.parametrize("store", ["platform", "engage"])
async def test_what_may_take_minutes_outlives_the_usual_limit(
    world: World, hurried: Stores, store: str
) -> None:
    pool = await getattr(hurried, store)(world.munchkin)
    queries = sql if store == "platform" else engage_sql
    async with pool.acquire() as conn, conn.transaction():
        await queries.execute(conn, "allow_minutes")
        await rest(conn)
        assert await conn.fetchval("show transaction_timeout") == "30min"
    async with pool.acquire() as conn:
        assert await conn.fetchval("show transaction_timeout") == "500ms"


async def test_rehearsal_takes_longer_than_a_transaction_may(world: World, hurried: Stores) -> None:
    workspace = world.workspace("")
    path = world.write("data/accounts.csv", ACCOUNTS)
    async with dry_run(await hurried.platform(world.munchkin)) as pool:
        importer = Importer(pool, workspace.catalog, world.now, lambda *_: None)
        assert (await importer.file(path)).new == 1
        await rest(pool)
        assert (await importer.file(path)).unchanged == 1
        await rest(pool)
    assert await world.platform.fetchval("select count(*) from accounts") == 0


async def test_import_beside_a_rehearsal_waits_for_it_and_has_its_own_time_then(
    world: World, hurried: Stores
) -> None:
    workspace = world.workspace("")
    path = world.write("data/accounts.csv", ACCOUNTS)
    pool = await hurried.platform(world.munchkin)
    async with dry_run(world.platform) as rehearsed:
        await sql.execute(rehearsed, "one_writer")
        importer = Importer(pool, workspace.catalog, world.now, lambda *_: None)
        waiting = asyncio.create_task(importer.file(path))
        await rest(rehearsed)
        assert not waiting.done()
    assert (await waiting).new == 1
    async with pool.acquire() as conn:
        with pytest.raises(asyncpg.InterfaceError):  # noqa: PT012
            async with conn.transaction():
                await sql.execute(conn, "one_writer_in_turn")
                await rest(conn)


async def test_transaction_that_was_ended_for_its_length_is_told_as_that(
    world: World, hurried: Stores
) -> None:
    pool = await hurried.platform(world.munchkin)
    async with world.platform.acquire() as other, other.transaction():
        await sql.execute(other, "one_writer")
        with pytest.raises(Exception) as caught:  # noqa: PT011
            async with pool.acquire() as conn, conn.transaction():
                await sql.execute(conn, "one_writer")
    told = sentence(caught.value, embedded=True)
    assert told is not None
    assert ("took too long" in told[0], "again" in told[0], told[1]) == (True, True, FAILED)


async def test_rehearsal_that_was_ended_for_its_length_is_told_as_that_and_not_as_a_rollback(
    world: World,
) -> None:
    with pytest.raises(asyncpg.InterfaceError) as caught:  # noqa: PT012
        async with dry_run(world.platform) as pool:
            for limit in ("0", "300ms"):
                await pool.execute(f"set local transaction_timeout = '{limit}'")
            async with pool.transaction():
                await rest(pool)
    told = sentence(caught.value, embedded=True)
    assert told is not None
    assert "took too long" in told[0]
    assert "rollback" not in str(caught.value)
