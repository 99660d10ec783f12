"""The delivery queue as a stream on the real server: its activity sends what waited."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.roles import build_workers, sandbox
from caravan.campaigns import stretch
from tests.relay import DROP, Relay
from tests.running import Running
from tests.world import World
from workflows import DeliveryQueueWorkflow
from workflows.contracts import STREAMS, StreamInput

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], next: rest}
  rest: {wait: 5 days, end: over}
"""
PEOPLE = 40


@pytest.fixture
async def relay(world: World) -> AsyncIterator[Relay]:
    new = Relay()
    await new.start()
    world.transport = new.transport()  # type: ignore[assignment]
    yield new
    await new.stop()


async def test_stream_sends_what_waited_and_tries_on_while_the_relay_is_away(
    world: World, relay: Relay, temporal: WorkflowEnvironment
) -> None:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\n"
        + "".join(f"p{n},p{n}@a.example,a\n" for n in range(PEOPLE)),
    )
    [traversal] = await world.enter(await world.publish(workspace, "post"))
    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    relay.when("RCPT", "450 4.2.0 greylisted", times=PEOPLE)
    await world.send(traversal)
    await world.engage.execute("update ledger set until = $1", datetime.now(UTC))
    relay.when("MAIL", DROP)
    running = Running(world, temporal)
    workers = build_workers(
        temporal.client,
        world.stores,
        world.mailing,
        ("email", "streams"),
        graceful=timedelta(seconds=5),
        runner=sandbox(),
    )
    async with AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        with temporal.with_time_skipping_disabled():
            handle = await temporal.client.start_workflow(
                DeliveryQueueWorkflow.run,
                StreamInput(munchkin=world.munchkin),
                id=f"delivery-queue/{world.munchkin}",
                task_queue=STREAMS,
            )
            await relay.until(lambda: relay.behaves)
            # whatever the drop had put back may be looked at again in a minute
            for _ in range(100):
                await asyncio.sleep(0.2)
                await world.engage.execute(
                    "update ledger set until = $1 where state = 'deferred'", datetime.now(UTC)
                )
                if len(relay.mails) == PEOPLE:
                    break
            await running.until("select count(*) = 40 from ledger where state = 'accepted'")
    assert len(relay.mails) == len(set(relay.mails)) == PEOPLE
    activities = "select count(*) from activities where type = 'email_sent'"
    assert await world.engage.fetchval(activities) == PEOPLE
    with temporal.with_time_skipping_disabled():
        described = (await handle.describe()).raw_description.pending_activities
        assert [one.activity_type.name for one in described] in (["delivery.drain"], [])
        await handle.terminate()
    await running.record("delivery-queue", handle)
