"""Settings: from the environment, else from the embedded stack that runs here.

A secret may also be given as a file (``TEMPORAL_API_KEY_FILE``); none is ever printed.
"""

import json
import os
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from caravan.retention import BadRetention, Retention

STACK_FILE = "stack.json"


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it."""


class _Environment(BaseSettings):
    """The variables we read, as they are named."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    caravan_home: Path = Path(".caravan")
    temporal_address: str | None = None
    temporal_namespace: str = "default"
    temporal_tls: bool = False
    temporal_api_key: SecretStr | None = None
    temporal_api_key_file: Path | None = None
    platform_dsn: SecretStr | None = None
    platform_dsn_file: Path | None = None
    engage_dsn: SecretStr | None = None
    engage_dsn_file: Path | None = None
    smtp_url: SecretStr | None = None
    smtp_url_file: Path | None = None
    smtp_tls: Literal["required", "opportunistic", "none"] | None = None
    allow_recipients: str | None = None
    dkim_domain: str | None = None
    dkim_selector: str | None = None
    dkim_key: SecretStr | None = None
    dkim_key_file: Path | None = None
    return_path_domain: str | None = None
    sms_url: str | None = None
    sms_account: str | None = None
    sms_token: SecretStr | None = None
    sms_token_file: Path | None = None
    sms_from: str | None = None
    public_url: str | None = None
    gateway_listen: str = "127.0.0.1:8088"
    gateway_secret: SecretStr | None = None
    gateway_secret_file: Path | None = None
    link_keys: SecretStr | None = None
    link_keys_file: Path | None = None
    bounce_key: SecretStr | None = None
    bounce_key_file: Path | None = None
    bounce_mailbox_password: SecretStr | None = None
    bounce_mailbox_password_file: Path | None = None
    erasure_key: SecretStr | None = None
    erasure_key_file: Path | None = None
    service_hosts: str = ""
    step_mode: Literal["stretch", "each"] = "stretch"
    account_names_in_temporal: bool = True
    statement_cache: bool = True
    pool_size: int = Field(default=16, ge=2, le=200)
    send_rates: str = ""
    starts_per_second: float = Field(default=100.0, gt=0)
    continue_as_new_after: int | None = Field(default=None, ge=1)
    graceful_seconds: float = Field(default=30.0, ge=0)
    buying_group_upkeep: str = "03:00"
    retain_outbox: str = "7 days"
    retain_steps: str = "400 days"
    retain_events: str = "forever"
    retain_ai_calls: str = "400 days"
    retain_ai_answers: str = "1 day"
    ai_model: str | None = None
    ai_base_url: str | None = None
    ai_api_key: SecretStr | None = None
    ai_api_key_file: Path | None = None
    ai_timeout: float = Field(default=30.0, ge=1, le=600)
    ai_concurrency: int = Field(default=4, ge=1, le=100)
    ai_daily_tokens: int = Field(default=500_000, ge=0, le=10**12)
    ai_daily_cost: Decimal | None = Field(default=None, ge=0, le=10**12, decimal_places=12)
    ai_currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    ai_price_in: Decimal | None = Field(default=None, ge=0, le=10**9, decimal_places=12)
    ai_price_out: Decimal | None = Field(default=None, ge=0, le=10**9, decimal_places=12)
    ai_answer_tokens: int = Field(default=8_000, ge=100, le=200_000)
    ai_features: str | None = None
    ai_output: Literal["tool", "native", "prompted"] | None = None
    metrics_port: int | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"


#: settings that the embedded stack provides, by their key in its file
FROM_STACK = ("temporal_address", "platform_dsn", "engage_dsn", "smtp_url")
#: settings that it provides too, and that most processes can do without
ALSO_FROM_STACK = ("public_url", "gateway_secret", "link_keys", "bounce_key", "erasure_key")
#: what the value of a setting looks like; more is known when it is used
SHAPES = {
    "platform_dsn": (re.compile(r"postgres(ql)?://\S*"), "postgresql://user@host/database"),
    "engage_dsn": (re.compile(r"postgres(ql)?://\S*"), "postgresql://user@host/database"),
    "temporal_address": (re.compile(r"[^\s/]+:\d{1,5}"), "host:7233"),
    "smtp_url": (re.compile(r"smtps?://\S+"), "smtp://host:25"),
    "public_url": (re.compile(r"https?://[^\s/?#@]+[^\s?#]*"), "https://caravan.example"),
    "sms_url": (re.compile(r"https?://[^\s/?#@]+[^\s?#]*"), "https://api.twilio.com"),
    "gateway_secret": (re.compile(r"\S{32,}"), "at least 32 characters that nobody can guess"),
    "link_keys": (
        re.compile(r"[^\s,]{32,}([\s,]+[^\s,]{32,})*"),
        "keys of at least 32 characters that nobody can guess, the newest first, commas between them",
    ),
    "bounce_key": (re.compile(r"\S{32,}"), "at least 32 characters that nobody can guess"),
    "erasure_key": (re.compile(r"\S{32,}"), "at least 32 characters that nobody can guess"),
}
SECRETS = (
    "temporal_api_key",
    "platform_dsn",
    "engage_dsn",
    "smtp_url",
    "sms_url",
    "sms_token",
    "gateway_secret",
    "link_keys",
    "bounce_key",
    "bounce_mailbox_password",
    "erasure_key",
    "dkim_key",
)


class Settings:
    """What a process works with; every value present and plain."""

    def __init__(self, environment: _Environment, values: dict[str, str]) -> None:
        self.home = environment.caravan_home
        self.temporal_address = values.get("temporal_address", "")
        self.temporal_namespace = environment.temporal_namespace
        self.temporal_tls = environment.temporal_tls
        self.temporal_api_key = values.get("temporal_api_key")
        self.platform_dsn = values.get("platform_dsn", "")
        self.engage_dsn = values.get("engage_dsn", "")
        self.smtp_url = values.get("smtp_url", "")
        self.smtp_tls = environment.smtp_tls
        self.allow_recipients = environment.allow_recipients
        self.dkim_domain = environment.dkim_domain
        self.dkim_selector = environment.dkim_selector
        self.dkim_key = values.get("dkim_key", "")
        self.return_path_domain = environment.return_path_domain
        self.sms_url = values.get("sms_url", "").rstrip("/")
        self.sms_account = environment.sms_account or ""
        self.sms_token = values.get("sms_token", "")
        self.sms_from = environment.sms_from or ""
        self.public_url = values.get("public_url", "").rstrip("/")
        self.gateway_secret = values.get("gateway_secret", "")
        self.link_keys = values.get("link_keys", "")
        self.bounce_key = values.get("bounce_key", "")
        self.bounce_mailbox_password = values.get("bounce_mailbox_password", "")
        self.erasure_key = values.get("erasure_key", "")
        self.gateway_listen = environment.gateway_listen
        self.service_hosts = environment.service_hosts
        self.step_mode = environment.step_mode
        self.account_names_in_temporal = environment.account_names_in_temporal
        self.statement_cache = environment.statement_cache
        self.pool_size = environment.pool_size
        self.send_rates = environment.send_rates
        self.starts_per_second = environment.starts_per_second
        self.continue_as_new_after = environment.continue_as_new_after
        self.graceful_seconds = environment.graceful_seconds
        self.buying_group_upkeep = environment.buying_group_upkeep
        self.retention = retention_of(environment)
        self.metrics_port = environment.metrics_port
        self.log_level = environment.log_level
        self.log_format = environment.log_format

    @classmethod
    def load(cls, needed: Sequence[str] = FROM_STACK) -> "Settings":
        """Read the environment and the running stack.

        Args:
            needed: the addresses that this process cannot do without.

        Raises:
            SettingsError: in one sentence, what to set or do.
        """
        environment = read_environment()
        stack = read_stack_file(environment.caravan_home)
        values: dict[str, str] = {}
        for name in {*FROM_STACK, *ALSO_FROM_STACK, *SECRETS}:
            value = given(environment, name) or stack.get(name)
            if value:
                values[name] = str(value)
        for name, known in values.items():
            _check_shape(name, known)
        missing = [name.upper() for name in needed if name not in values]
        if missing:
            raise SettingsError(
                f"{missing[0]} is not set and no embedded stack runs under {environment.caravan_home}: "
                "run `caravan up`, or set it"
            )
        return cls(environment, values)


def read_environment() -> _Environment:
    """The environment alone.

    Raises:
        SettingsError: a variable has a value it cannot have.
    """
    try:
        return _Environment()
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            f"The setting {str(first['loc'][0]).upper()} is wrong: {first['msg']}"
        ) from None


def service_secrets() -> dict[str, str]:
    """The variables that the document of a service may name: those that are not settings of ours."""
    ours = {*_Environment.model_fields, "caravan_subscription"}
    return {name: value for name, value in os.environ.items() if name.lower() not in ours}


def read_stack_file(home: Path) -> dict[str, Any]:
    """What the embedded stack says of itself; empty where there is none."""
    try:
        stack = json.loads((home / STACK_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stack if isinstance(stack, dict) else {}


def _check_shape(name: str, value: str) -> None:
    """Refuse what cannot be an address, without repeating it: it may hold a password."""
    pattern, example = SHAPES.get(name, (None, ""))
    if pattern is None:
        return
    fits = pattern.fullmatch(value) is not None
    if fits and "://" in value:
        try:
            _ = urlsplit(value).port
        except ValueError:
            fits = False
    if not fits:
        raise SettingsError(f"The setting {name.upper()} is wrong: it looks like {example}")


def retention_of(environment: _Environment) -> Retention:
    """How long what only looks back is kept.

    Raises:
        SettingsError: a setting says no span of days, or a shorter one than is safe.
    """
    try:
        return Retention.of(
            environment.retain_outbox,
            environment.retain_steps,
            environment.retain_events,
            environment.retain_ai_calls,
            environment.retain_ai_answers,
        )
    except BadRetention as error:
        raise SettingsError(str(error)) from None


def given(environment: _Environment, name: str) -> str | None:
    """What a setting is given as, itself or by a file.

    Raises:
        SettingsError: the file cannot be read; names the setting.
    """
    value = getattr(environment, name)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if value is not None:
        return str(value)
    file: Path | None = getattr(environment, f"{name}_file", None)
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name.upper()}_FILE cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{name.upper()}_FILE cannot be read: it is not UTF-8") from None
