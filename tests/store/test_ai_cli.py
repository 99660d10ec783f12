"""`caravan ai status`: which model, what for, what today has cost; and what to set where there is none."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from caravan.ai.asking import Asker
from caravan.ai.question import Question
from caravan.ai_settings import AISettings, Feature
from tests.commands import Cli, caravan
from tests.scripted_model import ScriptedModel, ScriptedService, serving
from tests.world import World

KEY = "sk-nobody-may-see-this"


class Greeting(BaseModel):
    text: str


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AI_MODEL", "AI_BASE_URL", "AI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def service() -> AsyncIterator[ScriptedService]:
    async with serving(Greeting(text="Hello")) as running:
        yield running


async def asked_once(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "greet.md").write_text("Greet.", encoding="utf-8")
    monkeypatch.setattr("caravan.ai.prompts.FOLDER", tmp_path)
    settings = AISettings(model="a:b", price_in=Decimal(1), price_out=Decimal(10))
    asker = Asker(settings, world.engage, model=ScriptedModel(Greeting(text="x")).model)
    question = Question(Feature.EMAIL, "greet", {"name": "Ada Lovelace"}, Greeting)
    await asker.ask(question, at=datetime.now(UTC))


async def test_without_a_model_it_is_said_what_to_set(world: World) -> None:
    told = await Cli(world).say("ai", "status")
    first = told.splitlines()[0]
    assert first.startswith("No model is set: set AI_MODEL to provider:model")
    assert "AI_API_KEY" in first
    assert "AI_BASE_URL" in first
    assert "Spent on" in told


async def test_model_budget_and_calls_are_told(
    world: World, service: ScriptedService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked_once(world, tmp_path, monkeypatch)
    cli = Cli(world, **service.environment(AI_API_KEY=KEY, AI_DAILY_COST="2", AI_FEATURES="email"))
    told = await cli.json("ai", "status")
    assert told["ready"]
    assert (told["model"], told["address"], told["key"]) == ("scripted", service.base_url, True)
    assert told["features"]["email"]
    assert not told["features"]["decide"]
    budget = told["budget"]
    assert (budget["tokens_spent"], budget["tokens_limit"]) == (120, 500_000)
    assert (budget["cost_spent"], budget["cost_limit"]) == (0.0003, 2)
    [by_feature] = budget["by_feature"]
    assert (by_feature["feature"], by_feature["calls"]) == ("email", 1)
    [call] = told["calls"]
    assert (call["feature"], call["outcome"], call["tokens_in"]) == ("email", "answered", 100)
    assert service.asked == []
    in_words = await cli.say("ai", "status")
    assert "Spent on" in in_words
    assert "Switched off (AI_FEATURES): journey, decide, summary, ask" in in_words
    assert KEY not in in_words + str(told)
    assert "Ada" not in in_words + str(told)


@pytest.mark.parametrize("model", ["openai:gpt-5.2", "gpt-5.2", "nobody:m"])
async def test_model_that_cannot_be_asked_is_told_with_what_to_set(
    world: World, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    told = await Cli(world, AI_MODEL=model).json("ai", "status")
    assert not told["ready"]
    assert "AI_" in told["to_set"]


def test_settings_are_told_where_no_store_runs(tmp_path: Path) -> None:
    ended = caravan(
        "ai", "status", CARAVAN_HOME=str(tmp_path), PLATFORM_DSN="", ENGAGE_DSN="", AI_MODEL=""
    )
    assert ended.returncode == 1
    assert ended.stdout.startswith("No model is set")
    assert "caravan up" in ended.stderr


def test_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    ended = caravan("ai", "status", AI_FEATURES="mail", CARAVAN_HOME=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.startswith("caravan: The setting AI_FEATURES is wrong")
