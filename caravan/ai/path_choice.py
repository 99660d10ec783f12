"""Choosing a path for an account: what a model is asked, and what it says."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

#: characters of a reason that are kept; the rest is cut off
LONGEST_REASON = 300


@dataclass(frozen=True)
class PathQuestion:
    """Which of these paths fits an account of which these facts are known: names in order, each with its prompt."""

    paths: Mapping[str, str]
    facts: BaseModel


@dataclass(frozen=True)
class Choice:
    """A path by its name, how sure the model is, 0 to 1, and why; ``digest`` is of all that it was asked."""

    path: str
    confidence: float
    reason: str
    digest: str
    model: str


#: who chooses; raises Unanswered
Chooser = Callable[[PathQuestion, datetime], Awaitable[Choice]]
