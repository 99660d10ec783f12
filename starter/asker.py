"""Who asks models for a command: its log keeps off what the command prints, for the store has each call."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from caravan.ai.asking import Asker
from caravan.ai_settings import AISettings
from caravan.database.pool import Pool


@contextmanager
def asker(engage: Pool, settings: AISettings | None = None) -> Iterator[Asker]:
    """Asks the model of the settings; only what goes wrong is logged, to stderr."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield Asker(settings or AISettings.load(), engage)
    finally:
        structlog.configure(**before)
