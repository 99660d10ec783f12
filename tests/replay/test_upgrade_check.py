"""What `caravan upgrade --check` finds, on recorded histories: it tells those that replay from those that do not."""

import json
from typing import Any

from temporalio.client import WorkflowHistory

from activities.replay_check import Checked, check
from tests.replay.test_histories import FOLDER


class Execution:
    def __init__(self, id: str) -> None:
        self.id = self.run_id = id


class Running:
    """A client of a server on which accounts of these histories run."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts

    async def list_workflows(self, query: str) -> Any:
        for name in self.texts if "AccountJourney" in query else ():
            yield Execution(name)

    def get_workflow_handle(self, workflow_id: str, *, run_id: str) -> Any:
        texts = self.texts

        class Handle:
            async def fetch_history(self) -> WorkflowHistory:
                return WorkflowHistory.from_json(workflow_id, texts[workflow_id])

        return Handle()


async def checked(sample: int, **texts: str) -> tuple[Checked, list[tuple[str, int, int]]]:
    told: list[tuple[str, int, int]] = []
    found = await check(Running(**texts), sample, lambda *how_far: told.append(how_far))  # type: ignore[arg-type]
    return next(one for one in found if one.type == "AccountJourney"), told


def recorded(name: str) -> str:
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")


async def test_history_that_this_code_would_not_have_made_is_named() -> None:
    other = recorded("migrated-each-step").replace("engage.run_stretch", "engage.run_other")
    found, told = await checked(10, good=recorded("migrated"), bad=other)
    assert (found.running, found.replayed) == (2, 2)
    assert found.failures.keys() == {"bad"}
    assert "ondeterminism" in found.failures["bad"]
    assert told == [("AccountJourney", 1, 2), ("AccountJourney", 2, 2)]


async def test_workflow_that_still_runs_is_replayed_as_far_as_it_came() -> None:
    history = json.loads(recorded("migrated"))
    history["events"] = history["events"][:-3]
    found, _ = await checked(10, cut=json.dumps(history))
    assert (found.replayed, found.failures) == (1, {})


async def test_sample_is_no_larger_than_asked() -> None:
    found, _ = await checked(2, **{f"w{one}": recorded("paused") for one in range(5)})
    assert (found.running, found.replayed) == (5, 2)
