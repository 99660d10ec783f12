"""A sandbox and a subscription belong to each other, whatever is tried and in whatever order."""

import asyncio

import asyncpg
import pytest

from activities.readiness import ready_pairs
from caravan.database.errors import NotOurs
from caravan.engage import subscriptions
from caravan.pairing import Databases, Paired, pair
from caravan.platform import sandboxes
from caravan.stores import CLOSE_PATIENCE, Stores
from tests.pairs import provision_sandbox
from tests.world import World


def databases(world: World) -> Databases:
    return Databases(world.stores.platform_dsn, world.stores.engage_dsn)


async def paired(world: World) -> set[tuple[str, str]]:
    rows = await sandboxes.pairings(world.stores.platform_dsn)
    return {(row["sandbox"], row["munchkin"]) for row in rows}


async def schemas(world: World, like: str) -> set[str]:
    rows = await world.platform.fetch(
        "select nspname from pg_namespace where nspname like $1", like
    )
    return {row["nspname"] for row in rows}


async def test_names_that_differ_in_case_alone_are_one_pair(world: World) -> None:
    dsn = world.stores.platform_dsn
    with pytest.raises(NotOurs, match=world.sandbox):
        await provision_sandbox(dsn, world.sandbox.upper(), f"{world.munchkin}-x")
    with pytest.raises(NotOurs, match=world.munchkin):
        await provision_sandbox(dsn, f"{world.sandbox}-x", world.munchkin.upper())
    with pytest.raises(NotOurs, match=f"{world.munchkin} already.*use its spelling"):
        await subscriptions.provision(
            world.stores.engage_dsn, world.munchkin.upper(), world.sandbox
        )


async def test_pair_that_the_engage_store_refuses_leaves_nothing_behind(world: World) -> None:
    sandbox, munchkin = f"{world.sandbox}-new", f"{world.munchkin}-taken"
    # another Platform's subscription lives in this engage database
    await subscriptions.provision(world.stores.engage_dsn, munchkin, "of-another-platform")
    before = await paired(world)
    with pytest.raises(NotOurs, match="of-another-platform"):
        await pair(databases(world), sandbox, munchkin, world.now)
    assert await paired(world) == before
    assert await schemas(world, f"sandbox%{world.sandbox.replace('-', '_')}_new") == set()
    # the sandbox is free for a subscription of its own
    await pair(databases(world), sandbox, f"{world.munchkin}-new", world.now)


async def test_pair_that_the_platform_refuses_leaves_nothing_in_the_engage_store(
    world: World,
) -> None:
    munchkin = f"{world.munchkin}-late"
    with pytest.raises(NotOurs):
        await pair(databases(world), world.sandbox, munchkin, world.now)
    assert await schemas(world, subscriptions.schema_of(munchkin)) == set()


async def test_rivals_for_a_sandbox_are_decided_between(world: World) -> None:
    sandbox = f"{world.sandbox}-rivals"
    answers = await asyncio.gather(
        *(
            pair(databases(world), sandbox, f"{world.munchkin}-{number}", world.now)
            for number in range(3)
        ),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers if not isinstance(answer, Paired)] == [
        NotOurs,
        NotOurs,
    ]
    [(_, winner)] = [pair for pair in await paired(world) if pair[0] == sandbox]
    stores = Stores(world.stores.platform_dsn, world.stores.engage_dsn)
    try:
        assert await (await stores.engage(winner)).fetchval("select munchkin from pair") == winner
    finally:
        await stores.close()


async def test_store_of_another_pair_is_not_worked_on(world: World) -> None:
    await world.engage.execute("update pair set sandbox = 'of-another-platform'")
    stores = Stores(world.stores.platform_dsn, world.stores.engage_dsn)
    try:
        with pytest.raises(NotOurs, match="of-another-platform"):
            await stores.engage(world.munchkin)
        with pytest.raises(NotOurs, match="of-another-platform"):
            await ready_pairs(world.stores.platform_dsn, world.stores.engage_dsn)
    finally:
        await world.engage.execute("update pair set sandbox = $1", world.sandbox)
        await stores.close()


async def test_stores_close_in_time_though_a_connection_never_comes_back(world: World) -> None:
    stores = Stores(world.stores.platform_dsn, world.stores.engage_dsn)
    pool = await stores.engage(world.munchkin)
    await pool.acquire()
    await asyncio.wait_for(stores.close(), 2 * CLOSE_PATIENCE)
    with pytest.raises(asyncpg.InterfaceError):
        await pool.fetchval("select 1")
