"""What a model says of the facts of a sales alert: fetched between two claims, never within one.

The first claim finds that nothing has been asked yet, and writes the alert without. Before anything of it leaves, with no transaction
open, the model is asked once; then the same messages are claimed anew, with its prose or, where there is none, with the facts
alone. A process that dies meanwhile has claimed and sent nothing, and the next one does the same again.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from caravan.reports.cited import Sentence, named, refusal
from caravan.reports.facts import Facts

log = structlog.get_logger("caravan.alerts")


@dataclass(frozen=True)
class Said:
    """Sentences about people and accounts by pseudonyms, each with its records."""

    model: str
    sentences: Sequence[Sentence]


#: asks in bounded time and raises nothing: None where there is no answer
Summarise = Callable[[Any, Facts, datetime], Awaitable[Said | None]]


class AlertProse:
    """The prose of the alerts of one send."""

    def __init__(self, summarise: Summarise) -> None:
        self._summarise = summarise
        self._said: dict[Hashable, Said | None] = {}
        self._wanted: dict[Hashable, Facts] = {}

    @property
    def is_wanted(self) -> bool:
        """Whether something is to be asked."""
        return bool(self._wanted)

    def of(self, alert: Hashable, facts: Facts) -> dict[str, Any] | None:
        """What was said of an alert's facts, for its template.

        They may have changed since: a sentence about a record or somebody not among them any more is left out. So
        nothing is told of who was erased meanwhile.
        """
        if alert not in self._said:
            self._wanted[alert] = facts
            return None
        said = self._said[alert]
        standing = _standing(said.sentences if said else (), facts)
        if said is None or not standing:
            return None
        told = [one.model_dump() for one in named(standing, facts.pseudonyms)]
        return {"model": said.model, "sentences": told}

    async def fetch(self, engage: Any, at: datetime) -> None:
        """Ask what is wanted, each alert once."""
        while self._wanted:
            alert, facts = self._wanted.popitem()
            self._said[alert] = await self._summarise(engage, facts, at)


def _standing(sentences: Sequence[Sentence], facts: Facts) -> list[Sentence]:
    """The sentences that may be shown; none where that cannot be said: an alert leaves whatever its facts hold."""
    known = facts.by_record
    try:
        return [one for one in sentences if refusal([one], known, facts.pseudonyms) is None]
    except Exception as error:  # its message may hold what is not to be told
        log.warning("alert without prose", why=type(error).__name__)
        return []
