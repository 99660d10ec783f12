"""The settings of models: what they say, what they refuse in a sentence, and that the key is nowhere."""

from decimal import Decimal
from pathlib import Path

import pytest

from caravan.ai_settings import AISettings, Feature
from caravan.settings import SettingsError, service_secrets

KEY = "sk-nobody-may-see-this"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AI_MODEL", "AI_BASE_URL", "AI_API_KEY", "AI_API_KEY_FILE", "AI_FEATURES"):
        monkeypatch.delenv(name, raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> AISettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return AISettings.load()


def test_without_any_setting_nothing_is_asked_and_everything_would_be_allowed() -> None:
    settings = AISettings.load()
    assert settings == AISettings()
    assert settings.model is None
    assert settings.features == frozenset(Feature)


def test_features_are_switched_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, AI_FEATURES="email, decide").features == {
        Feature.EMAIL,
        Feature.DECIDE,
    }
    assert load(monkeypatch, AI_FEATURES="none").features == frozenset()
    with pytest.raises(SettingsError, match=r"AI_FEATURES is wrong: 'mail' is none of email, "):
        load(monkeypatch, AI_FEATURES="mail")


@pytest.mark.parametrize("blank", [" , ", " ", ","])
def test_features_that_name_nothing_switch_nothing_off(
    monkeypatch: pytest.MonkeyPatch, blank: str
) -> None:
    with pytest.raises(SettingsError, match=r"names nothing; .* or none, which switches all off"):
        load(monkeypatch, AI_FEATURES=blank)


@pytest.mark.parametrize("letter", ["é", "\n", "\r\nX-Evil: 1", " ", "\x7f", "\udcff"])
def test_key_that_no_header_can_carry_is_refused_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch, letter: str
) -> None:
    with pytest.raises(SettingsError, match="The setting AI_API_KEY is wrong") as refused:
        load(monkeypatch, AI_API_KEY=f"sk-{letter}secret")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["gpt\x1b[31mred", "gpt\udcff", "gpt\nx"])
def test_name_of_a_model_can_be_shown(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(SettingsError, match="The setting AI_MODEL is wrong") as refused:
        load(monkeypatch, AI_MODEL=name)
    assert str(refused.value).isprintable()


def test_key_comes_from_a_file_and_is_in_no_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n", encoding="utf-8")
    settings = load(monkeypatch, AI_API_KEY_FILE=str(file))
    assert settings.api_key == KEY
    assert KEY not in repr(settings) + str(settings)


def test_no_service_of_a_workspace_may_name_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_API_KEY", KEY)
    assert "AI_API_KEY" not in service_secrets()


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@host/v1",
        "host:8089",
        "ftp://host/v1",
        "http://host:port/v1",
        "http:///v1",
        "http://ho..st/v1",
        "http://host/v1\x1b[31m",
        "http://host\u202e/v1",
        "http://[::1/v1",
    ],
)
def test_address_that_is_none_is_refused_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(SettingsError, match="AI_BASE_URL is wrong") as refused:
        load(monkeypatch, AI_BASE_URL=url)
    assert "secret" not in str(refused.value)


def test_prices_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="AI_PRICE_IN and AI_PRICE_OUT go together"):
        load(monkeypatch, AI_PRICE_IN="1.5")
    assert load(monkeypatch, AI_PRICE_IN="1.5", AI_PRICE_OUT="6").price_in == Decimal("1.5")


@pytest.mark.parametrize(
    ("name", "value"),
    [("AI_DAILY_TOKENS", "-1"), ("AI_TIMEOUT", "0"), ("AI_OUTPUT", "xml"), ("AI_CURRENCY", "money"), ("RETAIN_AI_CALLS", "2 days"), ("AI_PRICE_IN", "1e400"), ("AI_PRICE_OUT", "1e-400"), ("AI_PRICE_IN", "NaN"), ("AI_DAILY_COST", "1e400"), ("AI_DAILY_TOKENS", str(10**23)), ("AI_DAILY_TOKENS", "9" * 5000)],
)  # fmt: skip
def test_values_that_cannot_be_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=f"The setting {name} is wrong") as refused:
        load(monkeypatch, **{name: value})
    assert len(str(refused.value)) < 200
