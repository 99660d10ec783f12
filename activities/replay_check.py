"""Replaying running workflows with the code at hand, before a worker with it takes them over.

A sample of each type: their histories are fetched and replayed here, nothing is changed. As workers run
them, without the sandbox.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from workflows import JOURNEY_WORKFLOWS, STREAM_WORKFLOWS


@dataclass
class Checked:
    """What came of one type of workflow."""

    type: str
    running: int = 0
    replayed: int = 0
    failures: dict[str, str] = field(default_factory=dict)  # by workflow id


#: (of which type, how many of its sample are through, how large it is)
Progress = Callable[[str, int, int], None]


def names() -> list[str]:
    """The types of our workflows."""
    found = []
    for one in (*JOURNEY_WORKFLOWS, *STREAM_WORKFLOWS):
        found.append(str(workflow._Definition.must_from_class(one).name))
    return found


async def check(client: Client, sample: int, progress: Progress) -> list[Checked]:
    """Replay up to ``sample`` running workflows of each type."""
    replayer = Replayer(
        workflows=[*JOURNEY_WORKFLOWS, *STREAM_WORKFLOWS],
        data_converter=pydantic_data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    return [await _check_type(client, replayer, name, sample, progress) for name in names()]


async def _check_type(
    client: Client, replayer: Replayer, name: str, sample: int, progress: Progress
) -> Checked:
    checked = Checked(name)
    chosen: list[tuple[str, str]] = []
    async for execution in client.list_workflows(
        f'WorkflowType = "{name}" and ExecutionStatus = "Running"'
    ):
        # each with the same chance, of however many there are
        checked.running += 1
        if len(chosen) < sample:
            chosen.append((execution.id, execution.run_id))
        elif (place := random.randrange(checked.running)) < sample:  # noqa: S311 - a sample, no secret
            chosen[place] = (execution.id, execution.run_id)
    for number, (workflow_id, run_id) in enumerate(chosen, start=1):
        await _replay(client, replayer, checked, workflow_id, run_id)
        progress(name, number, len(chosen))
    return checked


async def _replay(
    client: Client, replayer: Replayer, checked: Checked, workflow_id: str, run_id: str
) -> None:
    handle: Any = client.get_workflow_handle(workflow_id, run_id=run_id)
    try:
        history = await handle.fetch_history()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return  # it ended meanwhile, and was forgotten
        raise
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    checked.replayed += 1
    if result.replay_failure is not None:
        checked.failures[workflow_id] = _first_line(result.replay_failure)


def _first_line(error: Exception) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}".splitlines()[0]
