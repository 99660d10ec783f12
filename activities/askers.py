"""Who asks models, by whose account: made once for each store, with the client it asks by."""

from typing import Any

from caravan.ai.asking import Asker
from caravan.ai_settings import AISettings
from caravan.database.pool import Pool


class Askers:
    """``model``: asked in place of the settings' one, by tests."""

    def __init__(self, settings: AISettings, model: Any = None) -> None:
        self._settings = settings
        self._model = model
        self._by_store: dict[Pool, Asker] = {}

    def __call__(self, engage: Pool) -> Asker:
        """Of a subscription's store."""
        if engage not in self._by_store:
            self._by_store[engage] = Asker(self._settings, engage, model=self._model)
        return self._by_store[engage]
