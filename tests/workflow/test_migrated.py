"""Workflows whose accounts move to another version: at rest, held in the middle of mail, begun anew."""

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy

from caravan.engage.versions import Inside, Policy
from tests.running import Running
from workflows import AccountJourneyWorkflow, web_ui
from workflows.contracts import JOURNEYS, AccountJourneyInput, Wake

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 365 days}
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}], next: pause}
  pause: {wait: 30 days, next: mark}
  mark:
    do: [{update_account: {field: source_type, value: seen}}]
    end: over
"""
EDITED = (
    JOURNEY.replace("pause", "respite")
    .replace("wait: 30 days", "wait: 50 days")
    .replace("end: over", "end: moved")
)
AT_REST = "select count(*) = 1 from traversals where state -> 'pending' is not null"


async def resting(running: Running, **options: Any) -> WorkflowHandle[Any, Any]:
    """One account, at rest in the first version."""
    world = running.world
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@x.example,a\n",
    )
    journey = await world.publish(workspace, "trip")
    await world.enter(journey)
    [handle] = await running.start(journey, **options)
    await running.until(AT_REST)
    async with asyncio.timeout(30):  # the row rests before its workflow knows
        while (await handle.query(AccountJourneyWorkflow.state)).pending is None:
            await asyncio.sleep(0.05)
    return handle


async def move(running: Running) -> None:
    policy = Policy(Inside.migrate, {"pause": "respite"})
    await running.world.publish(running.world.workspace(EDITED, ("hi",)), "trip", policy)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("migrated", {}),
        ("migrated-each-step", {"each_step": True}),
        ("migrated-continued", {"continue_after": 1}),
    ],
)
async def test_account_at_rest_goes_on_by_the_new_version(
    running: Running, name: str, options: dict[str, Any]
) -> None:
    world = running.world
    with running.temporal.with_time_skipping_disabled():
        handle = await resting(running, **options)
        before = (await handle.query(AccountJourneyWorkflow.state)).pending
        await move(running)
        await handle.signal("wake", Wake(reason="moved"))
        await running.until("select count(*) = 1 from steps where kind = 'migrate'")
        await running.until(AT_REST)
        state = await handle.query(AccountJourneyWorkflow.state)
        assert state.position == "respite"
        assert before is not None
        assert state.pending is not None
        assert (state.pending.until - before.until).days == 20
        described = await handle.describe()
        assert described.typed_search_attributes[web_ui.VERSION] == 2
    await running.temporal.fast_forward(handle)
    assert (await handle.result()).label == "moved"
    assert len(world.transport.messages) == 1
    await running.record(name, handle)


async def test_workflow_started_anew_goes_on_behind_the_move(running: Running) -> None:
    world = running.world
    with running.temporal.with_time_skipping_disabled():
        handle = await resting(running)
        await handle.terminate()
        await move(running)
        row = await world.engage.fetchrow("select * from traversals")
        again = await running.client.start_workflow(
            AccountJourneyWorkflow.run,
            AccountJourneyInput(
                munchkin=world.munchkin,
                traversal_id=row["id"],
                entered_at=row["entered_at"],
                title="trip v1 · Acme",
                mail_first=True,
            ),
            id=row["workflow_id"],
            task_queue=JOURNEYS,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
        await running.until("select count(*) = 1 from steps where kind = 'migrate'")
        await running.until(AT_REST)
    await running.temporal.fast_forward(again)
    assert (await again.result()).label == "moved"
    assert len(world.transport.messages) == 1
    await running.record("migrated-begun-anew", again)
