"""Streams under the conditions they meet: overlaps, small pools, journeys that end, runs that go on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment
from temporalio.worker import Worker

from activities import draining
from activities.admission import AdmissionActivities
from activities.event_dispatch import EventDispatchActivities
from activities.journey_starts import JourneyStarts, StartOptions
from activities.nudges import Nudges
from activities.platform_sync import PlatformSyncActivities
from activities.reconciler import ReconcilerActivities
from activities.roles import build_workers, sandbox
from caravan.stores import Stores
from tests.world import World
from workflows import PlatformSyncWorkflow
from workflows.contracts import AdmissionRequest, StreamInput

JOURNEY = """
journey: {slug}
audience: everyone
schedule: {{end: 30 days}}
start: rest
nodes:
  rest: {{wait: 20 days}}
---
"""
SLUGS = ("one", "two", "three", "four", "five")
ACCOUNTS = 40


@pytest.fixture(autouse=True)
def _short_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "BUDGET", 0.5)


@pytest.fixture
async def journeys(world: World) -> list[int]:
    """Five published journeys whose accounts have been admitted, and not been started."""
    workspace = world.workspace("".join(JOURNEY.format(slug=slug) for slug in SLUGS))
    accounts = "".join(f"a{n},Acme {n}\n" for n in range(ACCOUNTS))
    await world.load(workspace, accounts="account_id,name\n" + accounts)
    ids = [await world.publish(workspace, slug) for slug in SLUGS]
    for journey in ids:
        await world.enter(journey)
    return ids


@pytest.fixture
async def workers(world: World, temporal: WorkflowEnvironment) -> AsyncIterator[Worker]:
    """A worker with the streams' role."""
    [worker] = build_workers(
        temporal.client,
        world.stores,
        world.mailing,
        ("streams",),
        graceful=timedelta(seconds=1),
        runner=sandbox(),
    )
    async with worker:
        yield worker


async def test_two_admissions_at_once_start_everyone_once(
    world: World, temporal: WorkflowEnvironment, journeys: list[int]
) -> None:
    with temporal.with_time_skipping_disabled():
        both = await asyncio.gather(
            *(_admit(world.stores, temporal.client, world, journeys[0]) for _ in range(2))
        )
    assert sum(both) >= ACCOUNTS
    started = "select count(*) from traversals where slug = 'one' and started"
    assert await world.engage.fetchval(started) == ACCOUNTS
    assert await _running(temporal.client, world, "one") == ACCOUNTS


async def test_many_live_journeys_fit_a_small_pool(
    world: World, temporal: WorkflowEnvironment, journeys: list[int]
) -> None:
    small = Stores(world.stores.platform_dsn, world.stores.engage_dsn, pool_size=2)
    nudges = Nudges()
    try:
        with temporal.with_time_skipping_disabled():
            started = await asyncio.wait_for(
                asyncio.gather(
                    *(_admit(small, temporal.client, world, one, nudges) for one in journeys)
                ),
                30,
            )
        assert started == [ACCOUNTS] * len(journeys)
    finally:
        await small.close()


async def test_admitted_accounts_of_an_ended_journey_are_started_all_the_same(
    world: World, temporal: WorkflowEnvironment, journeys: list[int]
) -> None:
    await world.engage.execute("update journeys set ends_at = now() - interval '1 minute'")
    reconciler = _reconciler(world, temporal.client)
    with temporal.with_time_skipping_disabled():
        while await ActivityEnvironment().run(
            reconciler.never_started, world.engage, world.munchkin
        ):
            pass
    left = "select count(*) from traversals where not started"
    assert await world.engage.fetchval(left) == 0


async def test_lost_workflow_is_started_again_and_a_cancelled_one_closed(
    world: World, temporal: WorkflowEnvironment, journeys: list[int]
) -> None:
    with temporal.with_time_skipping_disabled():
        await _admit(world.stores, temporal.client, world, journeys[0])
        lost, ended = [
            row["workflow_id"]
            for row in await world.engage.fetch(
                "select workflow_id from traversals where slug = 'one' order by id limit 2"
            )
        ]
        # a workflow that the server does not know, as after a restore
        await world.engage.execute(
            "update traversals set workflow_id = $1, checked_at = null where workflow_id = $2",
            lost + "/restored",
            lost,
        )
        await temporal.client.get_workflow_handle(ended).terminate("by hand")
        reconciler = _reconciler(world, temporal.client)

        async def look() -> None:
            await reconciler.not_seen_lately(world.engage)
            await reconciler.ended_abnormally(world.engage, world.munchkin)

        for _ in range(50):
            await ActivityEnvironment().run(look)
            reason = await world.engage.fetchval(
                "select reason from traversals where workflow_id = $1", ended
            )
            if reason:
                break
            await asyncio.sleep(0.1)
        assert reason == "removed"
        assert not await world.engage.fetchval(
            "select started from traversals where workflow_id = $1", lost + "/restored"
        )
        await _admit(world.stores, temporal.client, world, journeys[0])
        again = await temporal.client.get_workflow_handle(lost + "/restored").describe()
        assert again.status is WorkflowExecutionStatus.RUNNING


async def test_wakeups_are_sent_once_each_by_two_dispatchers(
    world: World, temporal: WorkflowEnvironment, journeys: list[int]
) -> None:
    with temporal.with_time_skipping_disabled():
        await _admit(world.stores, temporal.client, world, journeys[0])
        # those of other journeys have no workflow yet: their wake-ups are dropped, not stuck
        await world.engage.execute(
            "insert into wakeups (traversal_id, reason) select id, 'test' from traversals"
        )
        dispatch = EventDispatchActivities(world.stores, temporal.client)

        async def drain() -> int:
            sent = 0
            while moved := await dispatch.page(world.engage):
                sent += moved
            return sent

        sent = await asyncio.gather(*(ActivityEnvironment().run(drain) for _ in range(2)))
    assert sum(sent) == ACCOUNTS * len(SLUGS)
    assert await world.engage.fetchval("select count(*) from wakeups") == 0


async def test_stream_goes_on_as_new(
    world: World, temporal: WorkflowEnvironment, journeys: list[int], workers: Worker
) -> None:
    with temporal.with_time_skipping_disabled():
        handle = await temporal.client.start_workflow(
            PlatformSyncWorkflow.run,
            StreamInput(munchkin=world.munchkin, continue_after=1, drained=7),
            id=f"platform-sync/{world.munchkin}",
            task_queue="streams",
        )
        for _ in range(100):
            if (await handle.describe()).run_id != handle.first_execution_run_id:
                break
            await asyncio.sleep(0.1)
        latest = temporal.client.get_workflow_handle(handle.id)
        assert (await latest.describe()).status is WorkflowExecutionStatus.RUNNING
        metadata: Any = await latest.query("__temporal_workflow_metadata", result_type=None)
        assert "Platform sync" in str(metadata)
        await latest.terminate()


async def test_worker_stops_in_the_middle_of_a_drain(world: World, journeys: list[int]) -> None:
    environment = ActivityEnvironment()
    draining.BUDGET = 60.0
    sync = PlatformSyncActivities(world.stores)
    running = asyncio.ensure_future(environment.run(sync.sync, world.drain_request()))
    await asyncio.sleep(0)
    environment.worker_shutdown()
    await asyncio.wait_for(running, 5)


async def _admit(
    stores: Stores, client: Client, world: World, journey: int, nudges: Nudges | None = None
) -> int:
    starts = JourneyStarts(client, StartOptions(per_second=1000))
    admission = AdmissionActivities(stores, starts, nudges)
    reply = await ActivityEnvironment().run(
        admission.admit, AdmissionRequest(munchkin=world.munchkin, journey_id=journey)
    )
    return reply.accounts


def _reconciler(world: World, client: Client) -> ReconcilerActivities:
    return ReconcilerActivities(world.stores, client, JourneyStarts(client, StartOptions()))


async def _running(client: Client, world: World, slug: str) -> int:
    query = (
        f'WorkflowId starts_with "journey/{world.munchkin}/{slug}/" and ExecutionStatus = "Running"'
    )
    for _ in range(50):
        count = (await client.count_workflows(query)).count
        if count == ACCOUNTS:
            break
        await asyncio.sleep(0.1)
    return count
