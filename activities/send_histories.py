"""What workflow histories tell of sends: the counts that activities and stretches have returned."""

import asyncio
from collections.abc import Iterable
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from caravan.campaigns.proving import Told
from caravan.journeys.state import Outcome
from workflows.contracts import CALL_SERVICE, RUN_STRETCH, SEND_EMAIL, StretchReply

#: histories read side by side
AT_ONCE = 12
#: activities whose replies hold outcomes
TELLING = (SEND_EMAIL, RUN_STRETCH, CALL_SERVICE)
LOCAL = "core_local_activity"


async def histories(client: Client, workflow_ids: Iterable[str]) -> dict[str, Told | None]:
    """By workflow id what its histories tell; None where they have expired."""
    told: dict[str, Told | None] = {}
    waiting = iter(workflow_ids)

    async def read() -> None:
        for workflow_id in waiting:
            told[workflow_id] = await _history(client, workflow_id)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(read())
    return told


async def _history(client: Client, workflow_id: str) -> Told | None:
    """Of the latest run and those it goes on from."""
    counts: dict[int, dict[str, int]] = {}
    run_id: str | None = None
    complete = True
    first = True
    while first or run_id:
        try:
            history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            if first:
                return None
            complete = False
            break
        events = [event for event in history.events if isinstance(event, HistoryEvent)]
        for outcome in await _outcomes(client, events):
            if outcome.command.kind == "send":
                counts[outcome.step_no] = outcome.counts
        if first:
            ended = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
            complete = events[-1].event_type == ended
        started = events[0].workflow_execution_started_event_attributes
        run_id, first = started.continued_execution_run_id or None, False
    return Told(counts, complete)


async def _outcomes(client: Client, events: list[HistoryEvent]) -> list[Outcome]:
    names: dict[int, str] = {}
    results: list[Any] = []
    for event in events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            scheduled = event.activity_task_scheduled_event_attributes
            names[event.event_id] = scheduled.activity_type.name
        elif event.HasField("activity_task_completed_event_attributes"):
            completed = event.activity_task_completed_event_attributes
            if names.get(completed.scheduled_event_id) in TELLING:
                results += completed.result.payloads
        elif event.HasField("marker_recorded_event_attributes"):
            marker = event.marker_recorded_event_attributes
            if marker.marker_name == LOCAL and "result" in marker.details:
                results += marker.details["result"].payloads
    outcomes: list[Outcome] = []
    for payload in results:
        [reply] = await client.data_converter.decode([payload], [StretchReply])
        outcomes += reply.outcomes
    return outcomes
