"""What one journey does to another, and what it requests, with real workflows in virtual time."""

import asyncio

import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.event_dispatch import EventDispatchActivities
from activities.journey_starts import JourneyStarts, StartOptions
from activities.reconciler import ReconcilerActivities
from caravan.engage import sql
from tests.running import Running

DOCUMENTS = """
campaign: invite
do: [{send_email: {template: hi}}, {update_person: {field: seniority, value: invited}}]
---
journey: resting
audience: everyone
schedule: {end: 365 days}
start: ears
nodes:
  ears: {listen: [{form_filled: {}}], next: never}
  never: {do: [{send_email: {template: hi}}]}
---
journey: reaching
audience: everyone
schedule: {end: 365 days}
start: ask
nodes:
  ask: {do: [{request_campaign: {campaign: invite}}], next: leave}
  leave: {do: [{remove_from_journey: {journey: resting}}], end: left}
"""

DATA = {
    "accounts": "account_id,name\na,Acme\n",
    "people": "person_id,email,account_id\np,p@a.example,a\nq,q@a.example,a\n",
}


@pytest.mark.parametrize("each_step", [False, True])
async def test_account_is_removed_from_a_journey_that_rests_and_its_people_are_invited(
    running: Running, each_step: bool
) -> None:
    world = running.world
    workspace = world.workspace(DOCUMENTS, ("hi",))
    await world.load(workspace, **DATA)
    resting = await world.publish(workspace, "resting")
    await world.enter(resting)
    with running.temporal.with_time_skipping_disabled():
        [rests] = await running.start(resting, each_step=each_step)
        while not await world.engage.fetchval("select count(*) from listeners"):
            await asyncio.sleep(0.05)

        reaching = await world.publish(workspace, "reaching")
        await world.enter(reaching)
        [reaches] = await running.start(reaching, each_step=each_step)
        assert (await reaches.result()).label == "left"

        client: Client = running.client
        dispatch = EventDispatchActivities(world.stores, client)
        await ActivityEnvironment().run(dispatch.page, world.engage)
        assert (await rests.result()).reason == "removed"
    assert world.mailed() == []

    # nobody's admission starts what was requested: the reconciler does
    starts = JourneyStarts(client, StartOptions())
    reconciler = ReconcilerActivities(world.stores, client, starts)
    never_started = ActivityEnvironment().run(
        reconciler.never_started, world.engage, world.munchkin
    )
    assert await never_started == 1
    row = await world.engage.fetchrow("select * from traversals where request_id is not null")
    assert row["workflow_id"].startswith(f"campaign/{world.munchkin}/invite/")
    await client.get_workflow_handle(row["workflow_id"]).result()
    assert sorted(world.mailed()) == [("hi", "p@a.example"), ("hi", "q@a.example")]
    effects = await sql.fetch(world.engage, "effects_of_traversal", traversal_id=row["id"])
    assert [one["state"] for one in effects] == ["accepted", "accepted", "done", "done"]
