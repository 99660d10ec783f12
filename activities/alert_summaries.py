"""Prose for sales alerts: asked for in bounded time, and not for a while where a model has failed."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from activities.askers import Askers
from caravan.ai.asking import Unanswered
from caravan.ai.features import Feature
from caravan.ai.summarising import summarise
from caravan.ai_settings import AISettings
from caravan.campaigns.alert_prose import Said, Summarise
from caravan.reports.facts import Facts

#: an alert waits so long for its prose at most
LONGEST = timedelta(seconds=10)
#: after a failure alerts go without for so long: a model that hangs delays one now and then, and not each
REST = timedelta(minutes=5)

log = structlog.get_logger("caravan.alerts")


class AlertSummaries:
    """Asks the model of the settings."""

    def __init__(
        self,
        settings: AISettings,
        *,
        model: Any = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """``model``: asked in place of the settings' one, by tests."""
        self._asker = Askers(replace(settings, timeout=min(settings.timeout, LONGEST)), model)
        self._seconds = seconds
        self._resting_until = 0.0

    async def __call__(self, engage: Any, facts: Facts, at: datetime) -> Said | None:
        """What a model says, or None: whatever goes wrong, the alert leaves."""
        if self._seconds() < self._resting_until:
            return None
        try:
            answer = await summarise(self._asker(engage), facts, at)
        except Exception as error:
            # what is no word of ours may repeat the question: its kind says enough
            why = str(error) if isinstance(error, Unanswered) else type(error).__name__
            log.warning("alert without prose", why=why)
            self._resting_until = self._seconds() + REST.total_seconds()
            return None
        sentences = [(one.text, one.records) for one in answer.value.sentences]
        return Said(answer.model, sentences)


def alert_summaries(settings: AISettings) -> Summarise | None:
    """None where no model is set, or the feature is switched off."""
    if settings.model is None or Feature.SUMMARY not in settings.features:
        return None
    return AlertSummaries(settings)
