"""A question for a model: on whose behalf it is asked, what is told, and which answers to it are right.

What a prompt says is ours, ``words`` are the operator's, ``facts`` are data and are shown as such. An answer is a pydantic
model, checked; there is no other kind.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from caravan.ai import prompts
from caravan.ai.fencing import as_json
from caravan.ai_settings import Feature

T = TypeVar("T", bound=BaseModel)

#: an answer that is wrong is asked for again, so often in all
ROUNDS = 3
#: how often a model may look something up with tools; it may do so once a request
MOST_LOOKS = 20

Tool = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Question(Generic[T]):
    """What is asked."""

    feature: Feature
    """On whose behalf."""
    prompt: str
    """The name of a file of ``caravan/ai/prompts``, without ``.md``."""
    facts: BaseModel | Mapping[str, Any]
    """Data of the stores."""
    shape: type[T]
    """Of an answer."""
    words: Mapping[str, str] = field(default_factory=dict)
    """The operator's, for the slots of the prompt."""
    tools: Sequence[Tool] = ()
    """What the model may call: docstrings tell it what for, and what they return is shown as data. Such an answer is
    not kept."""
    check: Callable[[T], str | None] | None = None
    """Says what is wrong with an answer of the right shape; None: it is right."""
    rounds: int = ROUNDS
    """How often a wrong answer is asked for in all. Each has AI_TIMEOUT."""
    within: timedelta | None = None
    """How long all of it may take, whatever it is that takes long; None: as long as its requests may."""

    @property
    def instructions(self) -> str:
        """The prompt with the operator's words."""
        return prompts.instructions(self.prompt, self.words)

    @property
    def most_requests(self) -> int:
        """One an answer, and with tools one a look."""
        return self.rounds + (MOST_LOOKS if self.tools else 0)

    def longest(self, each: timedelta) -> timedelta:
        """How long asking may take where each request may take so long."""
        requests = self.most_requests * each
        return requests if self.within is None else min(self.within, requests)

    def wrong(self, value: T) -> str | None:
        """What the check says of an answer."""
        return self.check(value) if self.check is not None else None

    def digest(self, model: str, server: str) -> str:
        """What tells it from another: SHA-256 of all that an answer depends on, the server too: each has its own models."""
        shape = json.dumps(self.shape.model_json_schema(), sort_keys=True)
        parts = [self.feature.value, self.instructions, as_json(self.facts), shape, model, server]
        return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
