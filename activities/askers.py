"""Who asks models in a process: an asker a store, made once with the client it asks by, and turns that all of them share."""

import asyncio
from typing import Any

from caravan.ai.asking import Asker
from caravan.ai_settings import AISettings
from caravan.database.pool import Pool


class Askers:
    """Ask on the account of whichever subscription is asked for."""

    def __init__(self, settings: AISettings, model: Any = None) -> None:
        """``model``: asked in place of the settings' one, by tests."""
        self.settings = settings
        self._model = model
        self._turns = asyncio.Semaphore(settings.concurrency)
        self._by_store: dict[Pool, Asker] = {}

    def __call__(self, engage: Pool) -> Asker:
        """Of a subscription's store."""
        if engage not in self._by_store:
            self._by_store[engage] = Asker(
                self.settings, engage, model=self._model, turns=self._turns
            )
        return self._by_store[engage]
