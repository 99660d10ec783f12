"""The settings of text messages: all or none, and a provider that a password may be told."""

import pytest

from caravan import text_settings
from caravan.settings import Settings, SettingsError

ALL = {
    "SMS_URL": "https://sms.example",
    "SMS_ACCOUNT": "AC1",
    "SMS_TOKEN": "hush",
    "SMS_FROM": "+15005550006",
}


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name in ALL:
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    for name in ("PLATFORM_DSN", "ENGAGE_DSN"):
        monkeypatch.setenv(name, "postgresql://nobody@localhost/none")
    monkeypatch.setenv("CARAVAN_HOME", "/nowhere")
    return Settings.load(needed=())


def test_none_of_them_is_no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    assert text_settings.texts(given(monkeypatch)) is None


async def test_provider_is_told_where_the_gateway_takes_what_became_of_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://caravan.example/")
    transport = text_settings.texts(given(monkeypatch, **ALL))
    assert transport is not None
    assert transport.provider.status_url == "https://caravan.example/sms/status"
    assert transport.provider.messages_url == (
        "https://sms.example/2010-04-01/Accounts/AC1/Messages.json"
    )
    await transport.close()


@pytest.mark.parametrize("missing", sorted(ALL))
def test_one_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    some = {name: value for name, value in ALL.items() if name != missing}
    with pytest.raises(SettingsError, match=missing):
        text_settings.texts(given(monkeypatch, **some))


def test_password_does_not_cross_a_network_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="https"):
        text_settings.texts(given(monkeypatch, **ALL | {"SMS_URL": "http://10.0.0.1"}))
