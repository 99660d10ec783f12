"""The model that the settings name, made with pydantic-ai."""

import inspect
import logging
from typing import Any
from urllib.parse import urlsplit

from pydantic_ai import UserError
from pydantic_ai.models import Model, infer_model
from pydantic_ai.providers import Provider, infer_provider, infer_provider_class

from caravan.ai.unanswered import NoModel
from caravan.ai_settings import AISettings

#: loggers of providers' clients: where it is debugging they would show requests, headers and answers, people's data
CLIENTS = ("openai", "anthropic", "google_genai", "httpx", "httpx2", "httpcore", "httpcore2")
#: what is sent where a server asks for no key
NO_KEY = "none"


def model_of(settings: AISettings) -> Model:
    """The model to ask.

    Raises:
        NoModel: says what to set.
    """
    if settings.model is None:
        raise NoModel
    try:
        model = _made(settings.model, settings)
    except NoModel:
        raise
    except Exception as error:
        # its kind says enough: the words may repeat an address with a password
        raise NoModel(
            f"{settings.model} cannot be asked with what is set for it ({type(error).__name__}): look at AI_BASE_URL and "
            "at the variables of the provider's own"
        ) from None
    _quieten_clients()  # behind the import of its client, which may have set up a log of its own
    return model


def _quieten_clients() -> None:
    """Whatever LOG_LEVEL or a client's own variable says, only what goes wrong is told."""
    for name in CLIENTS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _made(name: str, settings: AISettings) -> Model:
    if settings.base_url is not None:
        return _at_address(name, settings.base_url, settings.api_key)
    if ":" not in name:
        raise NoModel(
            f"AI_MODEL is {name!r}: it looks like provider:model (openai:gpt-5.2, say), or AI_BASE_URL says "
            "which server has a model of that name"
        )
    try:
        return infer_model(name, lambda provider: _provider(provider, settings.api_key))
    except ImportError:
        provider = name.partition(":")[0]
        raise NoModel(
            f"AI_MODEL names {provider!r}, whose client is not installed: pip install 'pydantic-ai-slim[{provider}]'"
        ) from None
    except (UserError, ValueError) as error:
        raise NoModel(_sentence(settings, error)) from None


def where(settings: AISettings) -> str:
    """Where questions go, for people."""
    if settings.base_url is not None:
        return urlsplit(settings.base_url).netloc
    return (settings.model or "").partition(":")[0]


def _at_address(name: str, base_url: str, key: str | None) -> Model:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    kind, colon, own_name = name.partition(":")
    if colon and kind in ("openai", "openai-chat"):  # something between us and OpenAI itself
        # never OPENAI_API_KEY, which is for another address
        proxy = OpenAIProvider(base_url=base_url, api_key=key or NO_KEY)
        return OpenAIChatModel(own_name, provider=proxy)
    server = OpenAICompatibleProvider("openai-compatible", base_url=base_url, api_key=key or NO_KEY)
    # servers of one's own know the older name of the longest answer; some do not know the newer
    profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)
    return OpenAIChatModel(name, provider=server, profile=profile)


def _provider(name: str, key: str | None) -> Provider[Any]:
    if key is None:  # by the variables that the provider's own client reads
        return infer_provider(name)
    if name.startswith("gateway/"):
        from pydantic_ai.providers.gateway import gateway_provider

        return gateway_provider(name.removeprefix("gateway/"), api_key=key)
    kind = infer_provider_class(name)
    if "api_key" not in inspect.signature(kind.__init__).parameters:
        return infer_provider(name)
    return kind(api_key=key)  # type: ignore[call-arg]


def _sentence(settings: AISettings, error: Exception) -> str:
    told = str(error).splitlines()[0]
    if settings.api_key is not None:
        told = told.replace(settings.api_key, "…")
    if "api_key" in told.lower() or "API key" in told:
        return f"The model {settings.model} needs a key: set AI_API_KEY, or AI_API_KEY_FILE to a file that has it"
    return f"AI_MODEL is {settings.model!r}, which cannot be used: {told}"
