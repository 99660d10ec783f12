"""Buying groups as workflows: the stream that keeps them up, and the daily run by its schedule."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import buying_groups, draining
from activities.roles import build_workers, sandbox
from activities.upkeep_schedule import ensure_upkeep, run_now, spec_of, upkeep_of
from caravan.settings import SettingsError
from tests.grouping import Documents, Grouping
from tests.running import Running
from tests.world import World
from workflows import BuyingGroupsWorkflow
from workflows.contracts import StreamInput

ACCOUNTS = 300


@pytest.fixture(autouse=True)
def _short_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "BUDGET", 0.5)
    monkeypatch.setattr(buying_groups, "BUDGET", 0.05)


@pytest.fixture
async def grouping(world: World) -> Grouping:
    """Accounts of one engineer each, and a job over all of them that nobody has begun."""
    workspace = world.workspace("", ())
    numbers = range(ACCOUNTS)
    people = "".join(f"p{n},p{n}@x.example,Engineer,a{n}\n" for n in numbers)
    await world.load(
        workspace,
        accounts="account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in numbers),
        people="person_id,email,job_title,account_id\n" + people,
    )
    await world.store(workspace)
    grouping = Grouping(world)
    await grouping.store(Documents())
    return grouping


@pytest.fixture
async def workers(world: World, temporal: WorkflowEnvironment) -> AsyncIterator[Worker]:
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


async def test_the_stream_makes_the_groups_of_a_job_and_follows_changes(
    grouping: Grouping, temporal: WorkflowEnvironment, workers: Worker
) -> None:
    world = grouping.world
    with temporal.with_time_skipping_disabled():
        handle = await temporal.client.start_workflow(
            BuyingGroupsWorkflow.run,
            StreamInput(munchkin=world.munchkin),
            id=f"buying-groups/{world.munchkin}",
            task_queue="streams",
        )
        # it is told by one drain, and by the next no more: watched from the start
        shown = f"job all: {ACCOUNTS} of {ACCOUNTS} accounts are here"
        seen = asyncio.ensure_future(_until_shown(handle, shown))
        members = "select count(*) from buying_group_members where removed_at is null"
        await _until(world, f"select ({members}) = {ACCOUNTS}")
        # a change to a person is seen within seconds
        await world.engage.execute(
            "update people set attributes = attributes || '{\"job_title\": \"Clerk\"}' where external_id = 'p7'"
        )
        await world.happen("person_changed", person="p7", field="job_title")
        await _until(world, f"select ({members}) = {ACCOUNTS - 1}", patience=5)
        await seen
        await handle.terminate()
    assert await world.engage.fetchval(
        "select bool_and(flow_at is not null) from buying_group_jobs"
    )


async def test_the_schedule_looks_at_everybody_and_tells_how_far_it_is(
    grouping: Grouping, temporal: WorkflowEnvironment, workers: Worker
) -> None:
    world = grouping.world
    await grouping.keep()
    before = world.now
    await world.engage.execute("update people set attributes = attributes - 'job_title'")
    with temporal.with_time_skipping_disabled():
        # the first makes the schedule, the second waits for it to end
        first = await run_now(temporal.client, world.munchkin, "03:00")
        handle = await run_now(temporal.client, world.munchkin, "03:00")
        assert first.run_id != handle.run_id
        assert (await first.describe()).status is WorkflowExecutionStatus.COMPLETED
        reply = await asyncio.wait_for(handle.result(), 60)
        await upkeep_of(temporal.client, world.munchkin).delete()
    assert reply.rows == ACCOUNTS
    await _until_shown(handle, f"{ACCOUNTS}** of **{ACCOUNTS}** accounts looked at")
    looked_at = "select count(*) from buying_groups where kept_at > $1"
    assert await world.engage.fetchval(looked_at, before) == ACCOUNTS
    # nobody is an engineer any more: what no event told is seen by the daily run
    members = "select count(*) from buying_group_members where removed_at is null"
    assert await world.engage.fetchval(members) == 0
    await Running(world, temporal).record("buying-group-upkeep", handle)


async def test_the_schedule_is_there_once_and_follows_its_setting(
    world: World, temporal: WorkflowEnvironment
) -> None:
    client, munchkin = temporal.client, world.munchkin
    for times in ("03:00", "03:00", "04:30 Europe/Stockholm", "6 hours"):
        await ensure_upkeep(client, munchkin, times)
        spec = (await upkeep_of(client, munchkin).describe()).schedule.spec
        wanted = spec_of(times)
        assert [one.every for one in spec.intervals] == [one.every for one in wanted.intervals]
        assert [(one.hour[0].start, one.minute[0].start) for one in spec.calendars] == [
            (one.hour[0].start, one.minute[0].start) for one in wanted.calendars
        ]
        assert (spec.time_zone_name or "UTC") == (wanted.time_zone_name or "UTC")
    # asked again it is not written again, and what an operator did to it stays
    await upkeep_of(client, munchkin).pause(note="by hand")
    await ensure_upkeep(client, munchkin, "6 hours")
    await ensure_upkeep(client, munchkin, "03:00")
    known = await upkeep_of(client, munchkin).describe()
    assert known.schedule.state.paused
    updated = known.info.last_updated_at
    await ensure_upkeep(client, munchkin, "03:00")
    assert (await upkeep_of(client, munchkin).describe()).info.last_updated_at == updated
    await upkeep_of(client, munchkin).delete()


@pytest.mark.parametrize("times", ["", "24:00", "3:00", "03:00 Nowhere/Atall", "0 hours", "1 day"])
def test_other_times_are_refused(times: str) -> None:
    with pytest.raises(SettingsError, match="BUYING_GROUP_UPKEEP"):
        spec_of(times)


async def _until(world: World, true: str, patience: float = 30) -> None:
    async with asyncio.timeout(patience):
        while not await world.engage.fetchval(true):
            await asyncio.sleep(0.1)


async def _until_shown(handle: Any, text: str) -> None:
    """Wait until the workflow's current details say so, as the Web UI shows them."""
    async with asyncio.timeout(30):
        while text not in await _shown(handle):
            await asyncio.sleep(0.1)


async def _shown(handle: Any) -> str:
    metadata = await handle.query("__temporal_workflow_metadata", result_type=None)
    return str(metadata.current_details).replace("\\", "")
