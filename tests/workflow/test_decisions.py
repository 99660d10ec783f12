"""An account that a model decides for, as a workflow on the real server; the model is scripted, all else is real."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities.askers import Askers
from activities.roles import build_workers, sandbox
from activities.terminations import terminate
from caravan.campaigns.deciding import MOST_TRIES
from caravan.engage import life_cycle
from caravan.engage.versions import Inside, Policy
from tests.deciding import ACCOUNTS, JOURNEY, PEOPLE, SETTINGS, says
from tests.running import Running
from tests.scripted_model import ScriptedModel
from tests.world import World
from workflows.contracts import Wake

ASKED = "select count(*) > 0 from decisions where tries > 0"


@dataclass
class Decided:
    """A running world whose worker has a model."""

    running: Running
    model: ScriptedModel

    async def start(self, journey: str = JOURNEY, **options: Any) -> WorkflowHandle[Any, Any]:
        world = self.running.world
        workspace = world.workspace(journey)
        await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
        published = await world.publish(workspace, "trip")
        await world.enter(published)
        [handle] = await self.running.start(published, **options)
        return handle

    async def steps(self) -> list[tuple[str, str, str | None]]:
        rows = await self.running.world.engage.fetch(
            "select kind, node, outcome ->> 'edge' as edge from steps order by step_no"
        )
        return [(row["kind"], row["node"], row["edge"]) for row in rows]


@pytest.fixture
async def decided(world: World, temporal: WorkflowEnvironment) -> AsyncIterator[Decided]:
    model = ScriptedModel(says())
    settings = replace(SETTINGS, timeout=timedelta(seconds=20))
    workers = build_workers(
        temporal.client,
        world.stores,
        world.mailing,
        ("journeys", "email", "decisions"),
        askers=Askers(settings, model.model),
        graceful=timedelta(seconds=1),
        runner=sandbox(),
    )
    async with AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        yield Decided(Running(world, temporal), model)
        model.hold.set()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("decide", {}),
        ("decide-each-step", {"each_step": True}),
        ("decide-continued", {"continue_after": 1}),
    ],
)
async def test_an_account_goes_where_the_model_decides(
    decided: Decided, name: str, options: dict[str, Any]
) -> None:
    handle = await decided.start(**options)
    ended = await handle.result()
    assert (ended.reason, ended.label) == ("completed", "over")
    assert await decided.steps() == [
        ("store", "hello", "next"), ("decide", "triage", "1"), ("store", "hot", "next"),
        ("wait", "rest", None), ("wait", "rest", "next"),
    ]  # fmt: skip
    assert len(decided.model.asked) == 1
    if "continue_after" not in options:
        await decided.running.record(name, handle)
        return
    runs = [
        run async for run in decided.running.client.list_workflows(f'WorkflowId = "{handle.id}"')
    ]
    asking = sorted(runs, key=lambda run: run.start_time)[1]
    again = decided.running.client.get_workflow_handle(handle.id, run_id=asking.run_id)
    await decided.running.record(name, again)


async def test_a_journey_may_begin_with_a_decision(decided: Decided) -> None:
    begins = JOURNEY.replace(
        "  hello: {do: [{account_interesting_moment: {type: web, text: hello}}], next: triage}\n",
        "",
    ).replace("start: hello", "start: triage")
    handle = await decided.start(begins)
    assert (await handle.result()).label == "over"
    assert (await decided.steps())[0] == ("decide", "triage", "1")


async def test_a_model_that_is_away_is_tried_again_and_then_the_account_goes_on(
    decided: Decided,
) -> None:
    decided.model.lines = [TimeoutError()]
    handle = await decided.start()
    ended = await handle.result()
    await decided.running.record("decide-failed", handle)
    assert (ended.reason, ended.label) == ("completed", "over")
    assert ("decide", "triage", "otherwise") in await decided.steps()
    assert len(decided.model.asked) == MOST_TRIES


async def test_a_worker_that_comes_back_asks_no_second_time(decided: Decided) -> None:
    """The reply of the activity is lost: what was decided is in the row, and its next try returns it."""
    with decided.running.temporal.with_time_skipping_disabled():
        handle = await decided.start()
        await decided.running.until(
            "select count(*) = 1 from traversals where state -> 'pending' is not null"
        )
        await handle.terminate()
        row = await decided.running.world.engage.fetchrow("select * from traversals")
        await decided.running.world.engage.execute("update traversals set started = false")
        [again] = await decided.running.start(row["journey_id"])
    await decided.running.temporal.fast_forward(again)
    assert (await again.result()).label == "over"
    assert len(decided.model.asked) == 1
    assert sum(kind == "decide" for kind, _, _ in await decided.steps()) == 1


async def test_a_paused_journey_asks_when_it_is_resumed(decided: Decided) -> None:
    world = decided.running.world
    with decided.running.temporal.with_time_skipping_disabled():
        workspace = world.workspace(JOURNEY)
        await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
        published = await world.publish(workspace, "trip")
        await world.enter(published)
        decided.model.hold.clear()
        [handle] = await decided.running.start(published)
        await decided.running.until(ASKED)
        # it thinks while the journey is paused: its word is taken, and nothing begins behind it
        await life_cycle.pause(world.engage, "trip", world.now)
        decided.model.hold.set()
        await decided.running.until("select count(*) = 1 from traversals where held_at is not null")
        assert (await decided.steps())[-1] == ("decide", "triage", "1")
        await life_cycle.resume(world.engage, "trip", world.now)
        await handle.signal("wake", Wake(reason="resumed"))
        await decided.running.until(
            "select count(*) = 1 from traversals where state -> 'pending' is not null"
        )
    await decided.running.temporal.fast_forward(handle)
    assert (await handle.result()).label == "over"


async def test_an_account_held_before_its_decision_is_asked_for_later(decided: Decided) -> None:
    world = decided.running.world
    with decided.running.temporal.with_time_skipping_disabled():
        workspace = world.workspace(JOURNEY)
        await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
        published = await world.publish(workspace, "trip")
        await world.enter(published)
        await world.engage.execute(
            "insert into sending_halt (halted_at, halted_by) values (now(), 'a test')"
        )
        [handle] = await decided.running.start(published)
        await decided.running.until("select count(*) = 1 from traversals where held_at is not null")
        assert decided.model.asked == []
        await world.engage.execute("delete from sending_halt")
        await handle.signal("wake", Wake(reason="resumed"))
        await decided.running.until(ASKED)
        await decided.running.until(
            "select count(*) = 1 from traversals where state -> 'pending' is not null"
        )
    await decided.running.temporal.fast_forward(handle)
    assert (await handle.result()).label == "over"
    await decided.running.record("decide-held", handle)


async def test_a_journey_aborted_while_a_model_thinks_records_no_path(decided: Decided) -> None:
    world = decided.running.world
    decided.model.hold.clear()
    with decided.running.temporal.with_time_skipping_disabled():
        handle = await decided.start()
        await decided.running.until(ASKED)
        await life_cycle.abort(world.engage, "trip")
        pages = life_cycle.take_out(world.engage, "trip", world.now)
        gone = [row["workflow_id"] async for page in pages for row in page]
        await terminate(decided.running.client, gone, "the journey was aborted")
        decided.model.hold.set()
        await asyncio.sleep(1)
    assert ("decide", "triage", "1") not in await decided.steps()
    assert await world.engage.fetchval("select edge from decisions") is None
    assert gone == [handle.id]


async def test_an_account_moves_to_the_next_version_behind_its_decision(decided: Decided) -> None:
    world = decided.running.world
    decided.model.hold.clear()
    with decided.running.temporal.with_time_skipping_disabled():
        handle = await decided.start()
        await decided.running.until(ASKED)
        edited = JOURNEY.replace("end: over", "end: moved")
        await world.publish(world.workspace(edited), "trip", Policy(Inside.migrate))
        decided.model.hold.set()
        await decided.running.until("select count(*) = 1 from steps where kind = 'migrate'")
    await decided.running.temporal.fast_forward(handle)
    assert (await handle.result()).label == "moved"
    await decided.running.record("decide-migrated", handle)


async def test_nothing_of_what_a_model_is_told_or_says_enters_temporal(decided: Decided) -> None:
    decided.model.lines = [TimeoutError(), says(reason="person 1 is a keen executive")]
    handle = await decided.start(account_names=False)
    await handle.result()
    history = await handle.fetch_history()
    told = b"".join(event.SerializeToString() for event in history.events).lower()
    assert b"models.decide" in told
    for secret in ("annika", "acme", "energy", "1200", "keen", "meeting", "champion"):
        assert secret.encode() not in told, secret
