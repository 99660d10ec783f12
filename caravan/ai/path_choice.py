"""Choosing a path for an account: what a model is asked, and what it says."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel


class Way(Protocol):
    """A path: what it is called, and for which accounts it is."""

    @property
    def label(self) -> str | None: ...
    @property
    def prompt(self) -> str: ...


@dataclass(frozen=True)
class Question:
    """Which of these paths fits an account of which these facts are known; ``names`` are the paths', in order."""

    names: Sequence[str]
    paths: Sequence[Way]
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
Chooser = Callable[[Question, datetime], Awaitable[Choice]]
