"""Prose for sales alerts: asked for in bounded time, and not for a while where a model has failed."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from activities.askers import Askers
from caravan.ai.summarising import summarise
from caravan.ai.unanswered import Unanswered
from caravan.ai_settings import Feature
from caravan.campaigns.alert_prose import Said, Summarise
from caravan.reports.facts import Facts

#: an alert waits so long for its prose at most
LONGEST = timedelta(seconds=10)
#: after a failure alerts go without for so long: a model that hangs delays one now and then, and not each
REST = timedelta(minutes=5)

log = structlog.get_logger("caravan.alerts")


class AlertSummaries:
    """Asks the model of the settings."""

    def __init__(self, askers: Askers, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._askers = askers
        self._seconds = seconds
        self._resting_until = 0.0

    async def __call__(self, engage: Any, facts: Facts, at: datetime) -> Said | None:
        """What a model says, or None: whatever goes wrong, the alert leaves."""
        if self._seconds() < self._resting_until:
            return None
        try:
            answer = await summarise(self._askers(engage), facts, at, within=LONGEST)
        except Exception as error:
            # what is no word of ours may repeat the question: its kind says enough
            why = str(error) if isinstance(error, Unanswered) else type(error).__name__
            log.warning("alert without prose", why=why)
            self._resting_until = self._seconds() + REST.total_seconds()
            return None
        return Said(answer.model, answer.value.sentences)


def alert_summaries(askers: Askers) -> Summarise | None:
    """None where no model is set, or the feature is switched off."""
    settings = askers.settings
    if settings.model is None or Feature.SUMMARY not in settings.features:
        return None
    return AlertSummaries(askers)
