"""The model that the settings name, or one sentence that says what to set."""

from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel

from caravan.ai.models import model_of, where
from caravan.ai.prices import amount, is_priced
from caravan.ai.unanswered import NoModel
from caravan.ai_settings import AISettings

KEY = "sk-nobody-may-see-this"
ELSEWHERE = AISettings(model="qwen3:8b", base_url="http://127.0.0.1:11434/v1")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (AISettings(), "No model is set: set AI_MODEL"),
        (AISettings(model="gpt-5.2"), "AI_MODEL is 'gpt-5.2': it looks like provider:model"),
        (AISettings(model="openai:gpt-5.2"), "needs a key: set AI_API_KEY"),
        (AISettings(model="nobody:m", api_key=KEY), "AI_MODEL is 'nobody:m', which cannot be used"),
        (AISettings(model="anthropic:claude-sonnet-4-5", api_key=KEY), r"pip install 'pydantic-ai-slim\[anthropic\]'"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_in_a_sentence(settings: AISettings, sentence: str) -> None:
    with pytest.raises(NoModel, match=sentence) as refused:
        model_of(settings)
    assert KEY not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_a_providers_own_variables_confuse_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:secret@[::1/v1")
    with pytest.raises(NoModel, match="look at AI_BASE_URL and at the variables of") as refused:
        model_of(AISettings(model="openai:gpt-5.2", api_key=KEY))
    assert "secret" not in str(refused.value)


def test_provider_gets_the_key_that_is_set() -> None:
    model = model_of(AISettings(model="openai:gpt-5.2", api_key=KEY))
    assert isinstance(model, OpenAIResponsesModel)
    assert model.client.api_key == KEY


def test_server_of_ones_own_never_gets_the_key_of_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("qwen3:8b", "openai:gpt-5.2"):
        model = model_of(replace(ELSEWHERE, model=name))
        assert isinstance(model, OpenAIChatModel)
        assert model.client.api_key != KEY
        assert str(model.client.base_url) == "http://127.0.0.1:11434/v1/"


def test_name_on_a_server_of_ones_own_is_taken_whole() -> None:
    assert model_of(ELSEWHERE).model_name == "qwen3:8b"
    assert model_of(replace(ELSEWHERE, model="openai:gpt-5.2")).model_name == "gpt-5.2"
    assert where(ELSEWHERE) == "127.0.0.1:11434"


def test_price_is_the_operators_or_else_the_lists() -> None:
    known = AISettings(model="openai:gpt-4o", api_key=KEY)
    model = model_of(known)
    listed = amount(known, model, 1_000_000, 1_000_000).cost
    assert listed is not None
    assert listed > 1
    own = replace(known, price_in=Decimal(2), price_out=Decimal(8))
    assert amount(own, model, 500_000, 250_000).cost == Decimal(3)


def test_price_is_unknown_where_nobody_can_know_it() -> None:
    known = AISettings(model="openai:gpt-4o", api_key=KEY)
    assert not is_priced(replace(known, currency="SEK"), model_of(known))
    assert not is_priced(replace(ELSEWHERE, model="gpt-4o"), model_of(ELSEWHERE))
    assert not is_priced(known, model_of(replace(known, model="openai:not-yet-invented")))
