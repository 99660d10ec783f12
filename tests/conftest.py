"""Fixtures of all tiers: one real Postgres (and, when asked for, one Temporal) per session."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from activities.roles import build_workers, sandbox
from caravan.stack import stack as stacks
from caravan.stack.scratch import SETTINGS
from caravan.stack.stack import Stack
from caravan.stack.temporal import binary
from tests.introspection import remember_built_in_types
from tests.pairs import Pair, Pairs
from tests.running import Running
from tests.simulating import Simulating
from tests.world import World
from workflows import web_ui

remember_built_in_types()
# stacks of several processes start at once: where each would rather have the usual port, one finds it free just before
# another takes it, and believes the other's server to be its own
for port in ("TEMPORAL_PORT", "UI_PORT", "MAIL_PORT", "GATEWAY_PORT"):
    setattr(stacks, port, 0)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The embedded stack in a folder of its own, Postgres running."""
    with tempfile.TemporaryDirectory(prefix="caravan test ", ignore_cleanup_errors=True) as home:
        # nothing in it need last; what must not be lost is tested on stacks of their own
        # and some of our tests watch what it does
        settings = SETTINGS | {"max_connections": "400", "track_activities": "on"}
        running = Stack(Path(home) / "home", postgres_settings=settings)
        running.start(["postgres"])
        yield running
        running.discard()


@pytest.fixture(scope="session")
async def pairs(stack: Stack) -> AsyncIterator[Pairs]:
    all_pairs = Pairs(stack.notes)
    yield all_pairs
    await all_pairs.close()


@pytest.fixture
async def pair(pairs: Pairs) -> AsyncIterator[Pair]:
    """An empty pair of stores, apart from every other test's."""
    taken = await pairs.take()
    yield taken
    pairs.give_back(taken)


@pytest.fixture
async def world(pair: Pair, tmp_path: Path) -> AsyncIterator[World]:
    """An empty pair of stores with a workspace folder."""
    new = World(tmp_path, pair)
    await new.open()
    yield new
    await new.close()


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """The real development server with a virtual clock per workflow."""
    async with await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=True),
        dev_server_existing_path=binary(),
        data_converter=pydantic_data_converter,
        search_attributes=[
            web_ui.JOURNEY,
            web_ui.VERSION,
            web_ui.ACCOUNT,
            web_ui.NODE,
            web_ui.OUTCOME,
        ],
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            "--dynamic-config-value",
            'history.timerProcessorMaxTimeShift="10ms"',
            "--dynamic-config-value",
            "matching.enableFairness=true",
            "--dynamic-config-value",
            "matching.numTaskqueueReadPartitions=1",
            "--dynamic-config-value",
            "matching.numTaskqueueWritePartitions=1",
        ],
    ) as environment:
        yield environment


@pytest.fixture
async def running(world: World, temporal: WorkflowEnvironment) -> AsyncIterator[Running]:
    """A world whose accounts travel as workflows."""
    workers = build_workers(
        temporal.client,
        world.stores,
        world.mailing,
        ("journeys", "email"),
        graceful=timedelta(seconds=1),
        runner=sandbox(),
    )
    async with AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        yield Running(world, temporal)


@pytest.fixture
def simulating(stack: Stack, tmp_path: Path) -> Simulating:
    """A workspace folder whose journeys are simulated on the session's Postgres."""
    return Simulating(tmp_path, stack.notes["platform_dsn"])
