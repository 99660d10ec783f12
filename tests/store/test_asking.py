"""Asking a model: what it is sent, what is made of what it says, what is kept and logged."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from caravan.ai.asking import Answer, Asker
from caravan.ai.features import Feature
from caravan.ai_settings import AISettings
from tests.scripted_model import ScriptedModel
from tests.world import World

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Greeting(BaseModel):
    text: str


@pytest.fixture(autouse=True)
def prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One prompt, with one slot."""
    (tmp_path / "echo.md").write_text("Greet who the data is about. {{wish}}", encoding="utf-8")
    monkeypatch.setattr("caravan.ai.prompts.FOLDER", tmp_path)


async def ask(asker: Asker, facts: dict[str, Any] | None = None, **how: Any) -> Answer[Greeting]:
    how = {"at": AT, "words": {"wish": "Be short."}, **how}
    feature = how.pop("feature", Feature.SUMMARY)
    return await asker.ask(feature, "echo", facts or {"name": "Acme"}, Greeting, **how)


async def test_an_answer_is_checked_and_logged(world: World) -> None:
    scripted = ScriptedModel(Greeting(text="Hello"))
    answer = await ask(Asker(AISettings(model="x:y"), world.engage, model=scripted.model))
    assert answer.value == Greeting(text="Hello")
