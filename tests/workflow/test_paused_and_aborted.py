"""Workflows of a journey that is paused, resumed or aborted."""

import time

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.terminations import terminate
from caravan.engage import life_cycle
from tests.running import Running
from workflows.contracts import Wake

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}], next: rest}
  rest: {wait: 2 days, next: mark}
  mark:
    do: [{update_account: {field: source_type, value: seen}}]
    end: over
"""


async def entered(running: Running, accounts: int) -> int:
    """Publish and admit so many accounts of two people; returns the journey's id."""
    world = running.world
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(accounts)),
        people="person_id,email,account_id\n"
        + "".join(f"p{n}{k},p{n}{k}@x.example,a{n}\n" for n in range(accounts) for k in range(2)),
    )
    journey_id = await world.publish(workspace, "trip")
    await world.enter(journey_id)
    return journey_id


async def test_paused_journey_holds_its_accounts_until_it_is_resumed(running: Running) -> None:
    journey_id = await entered(running, 3)
    world = running.world
    await life_cycle.pause(world.engage, "trip", world.now)
    with running.temporal.with_time_skipping_disabled():
        handles = await running.start(journey_id)
        await running.until("select count(*) = 3 from traversals where held_at is not null")
        assert world.transport.messages == []
        await life_cycle.resume(world.engage, "trip", world.now)
        for handle in handles:
            await handle.signal("wake", Wake(reason="resumed"))
        await running.until(
            "select count(*) = 3 from traversals where state -> 'pending' is not null"
        )
    assert len(world.transport.messages) == 6
    for handle in handles:
        await running.temporal.fast_forward(handle)
        assert (await handle.result()).label == "over"
    await running.record("paused", handles[0])


async def test_account_that_was_waiting_is_held_behind_its_wait_and_leaves_by_the_end_date(
    running: Running,
) -> None:
    journey_id = await entered(running, 1)
    world = running.world
    with running.temporal.with_time_skipping_disabled():
        [handle] = await running.start(journey_id)
        await running.until(
            "select count(*) = 1 from traversals where state -> 'pending' is not null"
        )
    await life_cycle.pause(world.engage, "trip", world.now)
    await running.temporal.fast_forward(handle)  # nobody resumes it
    ended = await handle.result()
    assert (ended.reason, ended.node) == ("end-date", "mark")
    assert await world.engage.fetchval("select count(*) from changes where origin = 'journey'") == 0


@pytest.mark.parametrize(
    "accounts", [30, pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(300)])]
)
async def test_aborted_accounts_and_their_workflows_are_gone_within_seconds(
    running: Running, accounts: int
) -> None:
    journey_id = await entered(running, accounts)
    world = running.world
    with running.temporal.with_time_skipping_disabled():
        handles = await running.start(journey_id, per_second=1000)
        await running.until(
            f"select count(*) = {accounts} from traversals where state -> 'pending' is not null"
        )
        begun = time.monotonic()
        await life_cycle.abort(world.engage, "trip")
        pages = life_cycle.take_out(world.engage, "trip", world.now)
        gone = [row["workflow_id"] async for page in pages for row in page]
        await terminate(running.client, gone, "the journey was aborted")
        assert time.monotonic() - begun < 10
        assert len(gone) == accounts
        await terminate(running.client, gone, "again")  # changes nothing
        for handle in handles[::10]:
            assert (await handle.describe()).status is WorkflowExecutionStatus.TERMINATED
    open_ones = "select count(*) from traversals where ended_at is null or reason <> 'aborted'"
    assert await world.engage.fetchval(open_ones) == 0
