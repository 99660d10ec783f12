"""What the settings of AI come to: which model, where, how much of it a day, and for what."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

from caravan.settings import SettingsError, given, read_environment, retention_of

Output = Literal["tool", "native", "prompted"]

#: what AI_FEATURES says where nothing is to ask
NOTHING = "none"
_URL = re.compile(r"https?://[^\s/?#@]+[^\s?#@]*")
#: what a header can carry
_KEY = re.compile(r"[!-~]*")


class Feature(StrEnum):
    """A use of models that an operator knows by name: each can be switched off by itself (AI_FEATURES)."""

    EMAIL = "email"
    JOURNEY = "journey"
    DECIDE = "decide"
    SUMMARY = "summary"
    ASK = "ask"


@dataclass(frozen=True)
class AISettings:
    """Models as an operator set them up. The key is neither shown nor compared."""

    model: str | None = None
    """``provider:model`` as pydantic-ai names them; with ``base_url`` the name that the server there knows."""
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False, compare=False)
    timeout: timedelta = timedelta(seconds=30)
    """For an answer, from when it has its turn; sending it again included. Each that is asked for again has as much."""
    concurrency: int = 4
    daily_tokens: int = 500_000
    daily_cost: Decimal | None = None
    currency: str = "USD"
    price_in: Decimal | None = None
    """Of a million tokens."""
    price_out: Decimal | None = None
    answer_tokens: int = 8_000
    """The longest answer, with what the model thinks before it."""
    features: frozenset[Feature] = frozenset(Feature)
    output: Output | None = None
    """How an answer's shape is asked for; None: by what is known of the provider."""
    keep_answers: timedelta | None = timedelta(days=1)
    """How long an answer is given again to the same question; None: for ever."""

    @classmethod
    def load(cls) -> "AISettings":
        """From the environment.

        Raises:
            SettingsError: a setting has a value it cannot have; the key is not repeated.
        """
        environment = read_environment()
        price = (environment.ai_price_in, environment.ai_price_out)
        if (price[0] is None) != (price[1] is None):
            raise SettingsError(
                "AI_PRICE_IN and AI_PRICE_OUT go together: the price of a million tokens asked and answered"
            )
        return cls(
            model=_name(environment.ai_model),
            base_url=_address(environment.ai_base_url),
            api_key=_key(given(environment, "ai_api_key")),
            timeout=timedelta(seconds=environment.ai_timeout),
            concurrency=environment.ai_concurrency,
            daily_tokens=environment.ai_daily_tokens,
            daily_cost=environment.ai_daily_cost,
            currency=environment.ai_currency,
            price_in=price[0],
            price_out=price[1],
            answer_tokens=environment.ai_answer_tokens,
            features=_features(environment.ai_features),
            output=environment.ai_output,
            keep_answers=retention_of(environment).ai_answers,
        )


def _name(model: str | None) -> str | None:
    """It is shown on terminals and written to logs."""
    if model is not None and not model.isprintable():
        raise SettingsError(
            "The setting AI_MODEL is wrong: it has a character that cannot be printed"
        )
    return model


def _key(key: str | None) -> str | None:
    """Refused without being repeated; a client would say no more than that it failed, or say the key."""
    if key is not None and not _KEY.fullmatch(key):
        raise SettingsError(
            "The setting AI_API_KEY is wrong: a key has letters, digits and signs of ASCII, no blanks and no line breaks"
        )
    return key


def _address(url: str | None) -> str | None:
    """Of a server of the operator's choice: it is not held against the list of hosts that services have."""
    if url is None:
        return None
    try:
        host = urlsplit(url).hostname
        fits = _URL.fullmatch(url) is not None and bool(host) and url.isprintable()
        _ = urlsplit(url).port, (host or "").encode("idna")
    except ValueError:
        fits = False
    if not fits:
        raise SettingsError(
            "The setting AI_BASE_URL is wrong: it looks like http://127.0.0.1:8089/v1; "
            "a key belongs in AI_API_KEY"
        )
    return url.rstrip("/")


def _features(written: str | None) -> frozenset[Feature]:
    if written is None:
        return frozenset(Feature)
    words = [word for word in re.split(r"[\s,]+", written.strip().lower()) if word]
    if words == [NOTHING]:
        return frozenset()
    if not words:
        raise SettingsError(
            f"The setting AI_FEATURES is wrong: it names nothing; it names some of {', '.join(Feature)}, "
            f"or {NOTHING}, which switches all off"
        )
    known = {feature.value for feature in Feature}
    if wrong := [word for word in words if word not in known]:
        raise SettingsError(
            f"The setting AI_FEATURES is wrong: {wrong[0]!r} is none of {', '.join(Feature)}; "
            f"{NOTHING} switches all off"
        )
    return frozenset(map(Feature, words))
