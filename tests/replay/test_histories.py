"""Recorded histories replay, in their activities' arguments too.

The server's replayer notices other commands, not other arguments, and arguments are where steps are
numbered. The server keeps the arguments of ordinary activities only, so those of all, local ones too,
lie beside each history as they were when it was recorded.
Record new ones with ``CARAVAN_RECORD=1 pytest tests/workflow tests/replay``; old ones stay.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from activities.roles import sandbox
from caravan.journeys.plan import ENGINE, Plan, control_plan
from workflows import JOURNEY_WORKFLOWS, STREAM_WORKFLOWS

FOLDER = Path(__file__).parent / "histories"
HISTORIES = sorted(file for file in FOLDER.glob("*.json") if ".arguments" not in file.name)

#: the histories of accounts that cover each engine, the number of a plan format: those of one that was
#: released stay here, and in CI, for as long as a plan of it may run anywhere
OF_ENGINE: dict[int, set[str]] = {
    1: {
        "call", "call-each-step", "call-timeout", "continued-0", "continued-1", "decide", "decide-continued",
        "decide-each-step", "decide-failed", "decide-held", "decide-migrated", "each-step-0", "each-step-1", "heard",
        "migrated", "migrated-begun-anew", "migrated-continued", "migrated-each-step", "outage",
        "paused", "rests", "stretches-0", "stretches-1",
    },
}  # fmt: skip
PLANS = Path(__file__).parent / "plans"

#: (local or not, activity, input) as replaying code schedules them, in order
Scheduled = list[tuple[bool, str, dict[str, Any]]]
_scheduled: Scheduled = []


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> Any:
        _scheduled.append((False, input.activity, input.args[0].model_dump(mode="json")))
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> Any:
        _scheduled.append((True, input.activity, input.args[0].model_dump(mode="json")))
        return super().start_local_activity(input)


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Watch(Interceptor):
    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        return _Inbound


async def replayed(history: WorkflowHistory) -> Scheduled:
    """Replay a history; what today's code schedules on the way."""
    _scheduled.clear()
    replayer = Replayer(
        workflows=[*JOURNEY_WORKFLOWS, *STREAM_WORKFLOWS],
        data_converter=pydantic_data_converter,
        workflow_runner=sandbox(),
        interceptors=[_Watch()],
    )
    await replayer.replay_workflow(history)
    return list(_scheduled)


def history_of(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8"))


def ordinary_inputs(history: WorkflowHistory) -> list[tuple[str, dict[str, Any]]]:
    """The inputs of ordinary activities, as the server recorded them."""
    found = []
    for event in history.events:
        assert isinstance(event, HistoryEvent)
        if event.HasField("activity_task_scheduled_event_attributes"):
            attributes = event.activity_task_scheduled_event_attributes
            found.append(
                (attributes.activity_type.name, json.loads(attributes.input.payloads[0].data))
            )
    return found


def same(now: dict[str, Any], then: dict[str, Any]) -> bool:
    """Whether an input says what it said; fields that were added since have their defaults."""
    return {key: _instant(now.get(key)) for key in then} == {
        key: _instant(value) for key, value in then.items()
    }


def holds(now: Any, then: Any) -> bool:
    """Whether everything that was said is said still, at any depth."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(holds(now.get(key), then[key]) for key in then)
    if isinstance(then, list):
        return len(now) == len(then) and all(map(holds, now, then))
    return bool(now == then)


def _instant(value: Any) -> Any:
    return value.replace("+00:00", "Z") if isinstance(value, str) else value


def test_every_type_of_workflow_has_a_history() -> None:
    types = {
        event.workflow_execution_started_event_attributes.workflow_type.name
        for file in HISTORIES
        for event in history_of(file).events[:1]
    }
    defined = {
        workflow._Definition.must_from_class(one).name
        for one in (*JOURNEY_WORKFLOWS, *STREAM_WORKFLOWS)
    }
    assert types == defined


def test_every_engine_has_its_histories_and_its_plan() -> None:
    assert set(OF_ENGINE) == set(range(1, ENGINE + 1))
    of_accounts = {
        file.stem
        for file in HISTORIES
        for event in history_of(file).events[:1]
        if event.workflow_execution_started_event_attributes.workflow_type.name == "AccountJourney"
    }
    assert set().union(*OF_ENGINE.values()) == of_accounts
    assert {file.stem for file in PLANS.glob("*.json")} == {f"engine-{one}" for one in OF_ENGINE}


@pytest.mark.parametrize("engine", sorted(OF_ENGINE))
def test_stored_plan_of_each_engine_is_still_read_as_what_it_was(engine: int) -> None:
    """What a stored plan says stays said; what was added since has its default."""
    told = json.loads((PLANS / f"engine-{engine}.json").read_text(encoding="utf-8"))
    plan = Plan.model_validate(told["plan"])
    assert plan.engine == engine
    assert control_plan(plan).model_dump(mode="json", exclude_defaults=True) == told["control"]
    assert holds(plan.model_dump(mode="json"), told["plan"])


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
async def test_recorded_history_replays_with_the_same_arguments(file: Path) -> None:
    history = history_of(file)
    now = await replayed(history)

    ordinary = [(name, value) for local, name, value in now if not local]
    for (name, value), (then_name, then) in zip(ordinary, ordinary_inputs(history), strict=True):
        assert name == then_name
        assert same(value, then), (value, then)

    recorded = file.with_suffix(".arguments.json")
    if os.environ.get("CARAVAN_RECORD") and not recorded.exists():
        recorded.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    told = json.loads(recorded.read_text(encoding="utf-8"))
    for (local, name, value), (then_local, then_name, then) in zip(now, told, strict=True):
        assert (local, name) == (then_local, then_name)
        assert same(value, then), (value, then)


async def test_another_argument_is_noticed() -> None:
    """The comparison is real: a history whose steps are numbered otherwise does not pass."""
    file = next(file for file in HISTORIES if file.stem == "stretches-0")
    told = json.loads(file.with_suffix(".arguments.json").read_text(encoding="utf-8"))
    now = await replayed(history_of(file))
    assert any(local for local, _, _ in now)
    for (_, _, value), (_, _, then) in zip(now, told, strict=True):
        assert not same(value | {"step_no": value["step_no"] + 1}, then)
