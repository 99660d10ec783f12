"""AccountJourneyWorkflow on the real server, in virtual time."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from caravan.campaigns import stretch
from caravan.engage import sql
from caravan.journeys.control import ControlPlan
from caravan.journeys.state import State
from tests.running import Running
from workflows import AccountJourneyWorkflow, web_ui
from workflows.contracts import AccountJourneyInput, Wake

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 365 days}
start: hello
nodes:
  hello:
    do:
      - send_email: {template: hi}
      - update_account: {field: source_type, value: seen}
    next: fork
  fork:
    split: accounts
    paths:
      - {label: Big, when: {account: {annual_revenue: {at_least: 1000}}}, next: pause}
    otherwise: ears
  pause: {wait: 30 days, next: people}
  ears:
    listen: [{form_filled: {form: meeting, end: met}}]
    timeout: {after: 10 days, next: people}
  people:
    split: people
    paths:
      - {when: {person: {job_title: {starts_with: Chief}}}, do: [{person_interesting_moment: {type: web, text: chief}}]}
    otherwise: {do: [{send_email: {template: hi}}]}
    next: pause2
  pause2: {wait: {for: 2 days, ends_on: {weekdays: [mon], at: "09:00"}}, end: over}
"""

DATA = {
    "accounts": "account_id,name,annual_revenue\nboss@acme.example,Acme Industries,5000\n"
    "info@small.example,Smallco,5\n",
    "people": "person_id,email,first_name,job_title,account_id\n"
    "ann@acme.example,ann@acme.example,Annika,Chief of X,boss@acme.example\n"
    "bo@acme.example,bo@acme.example,Boris,Clerk,boss@acme.example\n"
    "cy@small.example,cy@small.example,Cyrus,Clerk,info@small.example\n",
}


async def start(running: Running, **options: Any) -> Any:
    world = running.world
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, **DATA)
    journey = await world.publish(workspace, "trip")
    await world.enter(journey)
    return await running.start(journey, **options)


async def trace(running: Running) -> dict[str, list[tuple[str, str, str | None]]]:
    rows = await running.world.engage.fetch(
        "select a.external_id, s.kind, s.node, s.outcome ->> 'edge' as edge from steps s"
        " join traversals t on t.id = s.traversal_id join accounts a on a.id = t.account_id"
        " order by s.traversal_id, s.step_no"
    )
    told: dict[str, list[tuple[str, str, str | None]]] = {}
    for row in rows:
        told.setdefault(row["external_id"], []).append((row["kind"], row["node"], row["edge"]))
    return told


EXPECTED = {
    "boss@acme.example": [
        ("store", "hello", None), ("send", "hello", None), ("store", "hello", "next"),
        ("choose", "fork", "1"), ("wait", "pause", None), ("wait", "pause", "next"),
        ("store", "people", None), ("send", "people", "next"),
        ("wait", "pause2", None), ("wait", "pause2", "next"),
    ],
    "info@small.example": [
        ("store", "hello", None), ("send", "hello", None), ("store", "hello", "next"),
        ("choose", "fork", "otherwise"), ("listen", "ears", None), ("listen", "ears", "timeout"),
        ("store", "people", None), ("send", "people", "next"),
        ("wait", "pause2", None), ("wait", "pause2", "next"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options"),
    [("stretches", {}), ("each-step", {"each_step": True}), ("continued", {"continue_after": 2})],
)
async def test_accounts_travel_for_weeks_with_the_same_trace(
    running: Running, name: str, options: dict[str, Any]
) -> None:
    handles = await start(running, **options)
    for number, handle in enumerate(handles):
        ended = await handle.result()
        await running.record(f"{name}-{number}", handle)
        assert ended.reason == "completed"
        assert ended.label == "over"
    assert await trace(running) == EXPECTED
    assert len(running.world.mailed()) == 5


async def test_signal_wakes_a_listening_account(running: Running) -> None:
    with running.temporal.with_time_skipping_disabled():
        handles = await start(running)
    small = await _handle_of(running, handles, "info@small.example")
    await _until_at(running, "ears")
    running.world.now = datetime.now(UTC)
    await running.world.happen("form_filled", person="cy@small.example", form="meeting")
    await small.signal("wake", Wake(reason="heard"))
    ended = await small.result()
    await running.record("heard", small)
    assert (ended.reason, ended.label) == ("completed", "met")


async def test_spurious_signals_change_nothing(running: Running) -> None:
    with running.temporal.with_time_skipping_disabled():
        handles = await start(running)
    while not await _listening(running):  # it comes to the node a moment before it listens
        await asyncio.sleep(0.05)
    for handle in handles:
        for _ in range(5):
            await handle.signal("wake", Wake())
    await asyncio.sleep(0.5)
    assert await _listening(running) == 1
    for handle in handles:
        await running.temporal.fast_forward(handle)
        assert (await handle.result()).label == "over"


async def test_operator_sees_title_search_attributes_and_details(running: Running) -> None:
    with running.temporal.with_time_skipping_disabled():
        handles = await start(running)
    await _until_at(running, "ears")
    handle = await _handle_of(running, handles, "info@small.example")
    for _ in range(100):
        description = await handle.describe()
        if web_ui.NODE in description.typed_search_attributes:
            break
        await asyncio.sleep(0.05)
    summary = await description.static_summary()
    assert summary == "trip v1 · Smallco"
    attributes = {pair.key.name: pair.value for pair in description.typed_search_attributes}
    assert attributes["Journey"] == "trip"
    assert attributes["JourneyVersion"] == 1
    assert attributes["Node"] == "ears"
    metadata = await handle.query("__temporal_workflow_metadata", result_type=None)
    assert "Next wake-up" in str(metadata)
    assert "**fork**: other accounts → ears" in str(metadata)
    await handle.terminate()
    for other in handles:
        await other.terminate() if other.id != handle.id else None


async def test_continued_run_hears_what_woke_the_run_before(running: Running) -> None:
    """A signal that comes while a run continues as new is not served by it; the next one must ask."""
    with running.temporal.with_time_skipping_disabled():
        handles = await start(running, continue_after=1)
        small = await _handle_of(running, handles, "info@small.example")
        await _until_at(running, "ears")
        running.world.now = datetime.now(UTC)
        # recorded, and the signal that says so is lost with the former run
        await running.world.happen("form_filled", person="cy@small.example", form="meeting")
        state = await running.world.engage.fetchrow(
            "select id, state from traversals where workflow_id = $1", small.id
        )
        await small.terminate()
        again = await running.client.start_workflow(
            AccountJourneyWorkflow.run,
            AccountJourneyInput(
                munchkin=running.world.munchkin,
                traversal_id=state["id"],
                state=State.model_validate(state["state"]),
                control=await _control(running, state["id"]),
            ),
            id=small.id + "/continued",
            task_queue="journeys",
        )
        assert (await asyncio.wait_for(again.result(), 20)).label == "met"


async def test_closed_traversal_ends_its_workflow(running: Running) -> None:
    with running.temporal.with_time_skipping_disabled():
        handles = await start(running)
    await _until_all_rest(running)
    ids = [row["id"] for row in await running.world.engage.fetch("select id from traversals")]
    await sql.fetch(
        running.world.engage,
        "close_traversals",
        traversal_ids=ids,
        reason="removed",
        at=running.world.now,
    )
    for handle in handles:
        await handle.signal("wake", Wake(reason="removed"))
        assert (await handle.result()).reason == "removed"


async def test_history_is_small(running: Running) -> None:
    handles = await start(running)
    for handle in handles:
        await handle.result()
        status = (await handle.describe()).status
        assert status is WorkflowExecutionStatus.COMPLETED
        events = [
            event
            for event in (await handle.fetch_history()).events
            if event.event_type
            not in (
                EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
                EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
            )
        ]
        assert len(events) <= 40


async def _control(running: Running, traversal_id: int) -> ControlPlan:
    """The control plan a run would have carried over."""
    ran = await stretch.run(
        running.world.engage,
        running.world.plans,
        traversal_id,
        10**6,
        datetime.now(UTC),
        max_steps=0,
    )
    return ran.control


async def _handle_of(running: Running, handles: Any, account: str) -> Any:
    workflow_id = await running.world.engage.fetchval(
        "select workflow_id from traversals t join accounts a on a.id = t.account_id"
        " where a.external_id = $1",
        account,
    )
    return next(handle for handle in handles if handle.id == workflow_id)


async def _until_all_rest(running: Running) -> None:
    moving = "select count(*) from traversals where state -> 'pending' is null"
    while await running.world.engage.fetchval(moving):
        await asyncio.sleep(0.05)


async def _listening(running: Running) -> int:
    steps = "select count(*) from steps where node = 'ears'"
    return int(await running.world.engage.fetchval(steps))


async def _until_at(running: Running, node: str) -> None:
    for _ in range(200):
        if await running.world.engage.fetchval(
            "select count(*) from traversals where state ->> 'position' = $1", node
        ):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"nobody came to {node}")


RESTS = """
journey: rests
audience: everyone
schedule: {end: 365 days}
start: long
nodes:
  long: {wait: 10 days, next: short}
  short: {wait: 2 seconds, next: mail}
  mail: {do: [{send_email: {template: hi}}], next: again}
  again: {wait: 10 days, end: over}
"""


async def test_node_attribute_never_names_a_node_that_was_left(running: Running) -> None:
    world = running.world
    workspace = world.workspace(RESTS, ("hi",))
    await world.load(workspace, accounts="account_id,name\na,Acme\n")
    journey_id = await world.publish(workspace, "rests")
    await world.enter(journey_id)
    [handle] = await running.start(journey_id)
    await handle.result()
    named = [
        event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields[
            "Node"
        ].data.decode()
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
    ]
    assert named[:4] == ['"long"', '"short"', '"mail"', '"again"']
    await running.record("rests", handle)
