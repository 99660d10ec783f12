"""Reading job titles beside the up-flow: whose title nobody has read gets a persona within a second or so.

Beside it and not in it: a page of titles takes most of a second of one core, and no change waits for that. What it does
is committed with what it stands behind, so it may be cut off anywhere.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog

from caravan.database.errors import StoreError
from caravan.personas.embedding import Embedder, TitlesUnread
from caravan.platform import personas

log = structlog.get_logger("caravan.personas")

#: seconds between two looks
POLL = 0.5
#: seconds before it tries again what has failed
AFTER_FAILURE = 10.0
#: what keeps titles from being read for now
NOT_NOW = (TitlesUnread, StoreError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@asynccontextmanager
async def reading_titles(platform: Any, embedder: Embedder) -> AsyncIterator[None]:
    """Have titles read for as long as this lasts.

    Args:
        platform: pool of the sandbox.
        embedder: reads them.
    """
    reading = asyncio.create_task(_keep_reading(platform, embedder))
    try:
        yield
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading


async def _keep_reading(platform: Any, embedder: Embedder) -> None:
    said = ""
    while True:
        try:
            moved = await personas.read_page(platform, embedder, datetime.now(UTC))
            await asyncio.sleep(0 if moved else POLL)
        except NOT_NOW as error:
            if str(error) != said:
                said = str(error)
                log.warning("titles_unread", error=said)
            await asyncio.sleep(AFTER_FAILURE)
