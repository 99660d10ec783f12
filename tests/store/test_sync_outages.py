"""The up-flow while the Platform store is away, comes back, or is slow: nothing is lost, and it says how it stands."""

from collections.abc import AsyncIterator

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import draining
from activities.platform_sync import PlatformSyncActivities
from caravan.platform import sync
from caravan.stores import Stores
from tests.store.test_sync import attributes, start, write
from tests.store_proxy import StoreProxy
from tests.world import World
from workflows.contracts import DrainReply


@pytest.fixture(autouse=True)
def _short_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "BUDGET", 0.3)


@pytest.fixture
async def way(world: World) -> AsyncIterator[StoreProxy]:
    """To the Platform store."""
    new = StoreProxy(world.stores.platform_dsn)
    await new.open()
    yield new
    await new.close()


@pytest.fixture
async def stores(world: World, way: StoreProxy) -> AsyncIterator[Stores]:
    """A process's stores, the Platform's by that way."""
    new = Stores(way.dsn, world.stores.engage_dsn, pool_size=4)
    yield new
    await new.close()


async def run(world: World, stores: Stores) -> DrainReply:
    """One run of the activity."""
    reply: DrainReply = await ActivityEnvironment().run(
        PlatformSyncActivities(stores).sync, world.drain_request()
    )
    return reply


async def test_platform_that_is_down_for_a_while_loses_nothing(
    world: World, way: StoreProxy, stores: Stores
) -> None:
    await start(world)
    world.pass_time(seconds=1)
    await write(world, "city", "Bergen")
    assert (await run(world, stores)).rows == 1
    await way.cut()
    world.pass_time(seconds=1)
    await write(world, "city", "Kiel")
    for _ in range(2):
        with pytest.raises(ApplicationError) as told:
            await run(world, stores)
        assert not told.value.non_retryable
    lag = await sync.lag(world.engage, world.platform, world.munchkin)
    assert lag.rows == 1
    assert (await attributes(world.platform))["city"] == "Bergen"
    await way.open()
    assert (await run(world, stores)).rows == 1
    assert (await attributes(world.platform))["city"] == "Kiel"


async def test_platform_that_is_slow_takes_everything_once(
    world: World, way: StoreProxy, stores: Stores
) -> None:
    await start(world)
    await run(world, stores)
    way.delay = 0.05
    for number in range(1, 4):
        world.pass_time(seconds=1)
        await write(world, "city", f"City {number}")
    reply = await run(world, stores)
    assert (reply.rows, reply.waiting) == (3, 0)
    assert (await attributes(world.platform))["city"] == "City 3"
    told = "select count(*) from changes where origin = 'sync'"
    assert await world.platform.fetchval(told) == 3
