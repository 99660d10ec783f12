"""The whole way to a real model: `caravan ai local` serves one, and a question goes there over the wire."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from caravan.ai.asking import Asker
from caravan.ai.question import Question
from caravan.ai_settings import AISettings, Feature
from evaluations.cases import Case
from evaluations.evaluation import Evaluation, Score, evaluate
from evaluations.registry import EVALUATIONS
from tests.world import World

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
#: a small machine that others use too
PATIENCE = timedelta(seconds=300)


class Choice(BaseModel):
    path: Literal["call", "wait"]
    reason: str = Field(max_length=60)


async def chooses(asker: Asker, case: Case) -> Score:
    facts = {"account": case["account"]}
    answer = await asker.ask(Question(Feature.DECIDE, "choose", facts, Choice), at=AT)
    return Score(1.0 if answer.value.path == case["path"] else 0.5)


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, str]]:
    """The settings that the command prints, while it serves."""
    pytest.importorskip("xllamacpp", reason="the extra local-ai is not installed: make local-ai")
    serving = subprocess.Popen(
        [sys.executable, "-m", "starter", "ai", "local", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert serving.stdout is not None
    assert serving.stderr is not None
    settings = {}
    for line in serving.stderr:
        if line.startswith("serving"):
            break
    while len(settings) < 8:
        name, _, value = serving.stdout.readline().strip().removeprefix("export ").partition("=")
        assert name, serving.stderr.read()
        settings[name] = value
    yield settings
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(30) == 0
    serving.stdout.close()
    serving.stderr.close()


@pytest.fixture
def asker(world: World, served: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Asker:
    for name, value in served.items():
        monkeypatch.setenv(name, value)
    settings = replace(AISettings.load(), timeout=PATIENCE, keep_answers=timedelta(0))
    return Asker(settings, world.engage)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_cases_are_answered_in_shape_by_a_real_model_over_the_wire(
    world: World, asker: Asker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "choose.md").write_text(
        'Choose "call" where somebody asked for a demo, else "wait".', encoding="utf-8"
    )
    (tmp_path / "decide.yaml").write_text(
        "- {case: asks, account: {demo_requests: 2}, path: call}\n", encoding="utf-8"
    )
    monkeypatch.setattr("caravan.ai.prompts.FOLDER", tmp_path)
    evaluation = Evaluation(Feature.DECIDE, chooses, tmp_path / "decide.yaml")
    result = await evaluate(evaluation, lambda _: asker, world.engage)
    # whether it chose well is not ours to promise; that it answered in shape is
    assert result.points >= 0.5, result.cases
    assert result.calls == 1
    assert 100 < result.tokens_in < 2000
    assert 5 < result.tokens_out < 500
    assert result.cost == 0


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "evaluation",
    [one for one in EVALUATIONS if isinstance(one.feature, Feature)],  # the others ask no model
    ids=lambda one: str(one.feature),
)
async def test_first_case_of_each_feature_goes_to_a_real_model_and_back(
    world: World, asker: Asker, evaluation: Evaluation
) -> None:
    alone = replace(evaluation, only=evaluation.cases[0].name)
    result = await evaluate(alone, lambda _: asker, world.engage)
    [score] = result.cases
    assert 0 <= score.points <= 1
    assert result.calls >= 1
