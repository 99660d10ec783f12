"""The harness of evaluations, and each feature's cases with the answers that a good model would give."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from caravan.ai.asking import Asker
from caravan.ai.question import Question
from caravan.ai_settings import AISettings, Feature
from evaluations.__main__ import as_json, chosen, main, run
from evaluations.cases import BadCases, Case, read_cases
from evaluations.evaluation import Evaluation, Score, evaluate
from evaluations.registry import EVALUATIONS
from tests.scripted_model import Calls, Fails, ScriptedModel, ScriptedService, serving
from tests.world import World

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
SETTINGS = AISettings(
    model="scripted:m", price_in=Decimal(1), price_out=Decimal(10), keep_answers=timedelta(0)
)
CASES = """
- case: Acme is greeted
  name: Acme
  scripted: {text: Hello Acme}
- case: Beta is greeted
  name: Beta
  scripted: [{text: Hello you}]
"""


class Greeting(BaseModel):
    text: str


async def names_them(asker: Asker, case: Case) -> Score:
    question = Question(Feature.SUMMARY, "greet", {"name": case["name"]}, Greeting)
    answer = await asker.ask(question, at=AT)
    return Score(1.0) if case["name"] in answer.value.text else Score(0.5, "no name")


@pytest.fixture
def greeting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    (tmp_path / "greet.md").write_text("Greet who the data is about.", encoding="utf-8")
    monkeypatch.setattr("caravan.ai.prompts.FOLDER", tmp_path)
    (tmp_path / "summary.yaml").write_text(CASES, encoding="utf-8")
    return Evaluation(Feature.SUMMARY, names_them, tmp_path / "summary.yaml")


@pytest.fixture
async def service() -> AsyncIterator[ScriptedService]:
    async with serving(Greeting(text="Hello Acme"), Fails(400)) as running:
        yield running


async def test_each_case_is_scored_and_the_cost_is_of_all(
    world: World, greeting: Evaluation
) -> None:
    def scripted(case: Case) -> Asker:
        return Asker(SETTINGS, world.engage, model=ScriptedModel(*case.scripted).model)

    result = await evaluate(greeting, scripted, world.engage)
    assert [(one.points, one.why) for one in result.cases] == [(1.0, ""), (0.5, "no name")]
    assert result.points == 0.75
    assert (result.calls, result.tokens_in, result.tokens_out) == (2, 200, 40)
    assert result.cost == Decimal("0.0006")
    told = json.loads(as_json([result], SETTINGS))
    assert told["features"]["summary"]["score"] == 0.75
    assert told["features"]["summary"]["cost"] == 0.0006


async def test_whole_run_asks_the_server_that_is_set_and_goes_on_behind_a_failure(
    world: World, greeting: Evaluation, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, model="scripted", base_url=service.base_url)
    [result] = await run([greeting], settings, world.stores.engage_dsn)
    first, second = result.cases
    assert first.points == 1.0
    assert (second.points, second.why[-60:]) == (0.0, second.why[-60:])
    assert "status 400" in second.why
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "it is a list of cases"), ("a: 1", "it is a list of cases"), ("- {name: x}", "case 1 has no name"), ("- {case: x}\n- {case: x}", "two cases have one name")],
)  # fmt: skip
def test_file_of_cases_that_is_none_is_named(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "email.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadCases, match=why):
        read_cases(file)
    with pytest.raises(BadCases, match="No such file"):
        read_cases(tmp_path / "missing.yaml")


def test_feature_without_cases_is_named(greeting: Evaluation) -> None:
    assert chosen(["summary"], [greeting]) == [greeting]
    assert chosen([], [greeting]) == [greeting]
    with pytest.raises(LookupError, match="no cases for email; there are cases for summary"):
        chosen(["email"], [greeting])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "No model is set: set AI_MODEL"), (["mail"], "no cases for mail; there are cases for")],
)
def test_what_is_missing_is_said_in_a_sentence(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    monkeypatch.delenv("AI_MODEL", raising=False)
    monkeypatch.setattr("sys.argv", ["evaluations", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "evaluation",
    [one for one in EVALUATIONS if one.asks_a_model],
    ids=lambda one: str(one.feature),
)
async def test_answers_that_are_written_beside_the_cases_have_all_points(
    world: World, evaluation: Evaluation
) -> None:
    """So a scoring function is no harder than what it asks for, and every case can be answered."""
    settings = replace(SETTINGS, daily_tokens=10_000_000)

    def scripted(case: Case) -> Asker:
        assert case.scripted, case.name
        lines = [Calls(one["call"], one["with"]) if "call" in one else one for one in case.scripted]
        return Asker(settings, world.engage, model=ScriptedModel(*lines).model)

    result = await evaluate(evaluation, scripted, world.engage)
    assert [one for one in result.cases if one.points < 1] == []
