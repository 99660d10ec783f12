"""Notes of how a stream fares, for operators: rows and their rate every few seconds, and each failure.

A note is never worth the stream: where the store does not take it, it is left out.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import asyncpg

from activities.failures import in_our_words
from caravan.database.errors import StoreError
from caravan.engage import sql

#: seconds between two notes of one drain
EVERY = 5.0
#: what keeps a note from being written
NOT_NOW = (OSError, StoreError, asyncpg.PostgresError, asyncpg.InterfaceError)


class StreamLog:
    """Of one stream of a subscription, for one drain of it."""

    def __init__(self, pool: Any, stream: str) -> None:
        self._pool = pool
        self._stream = stream
        self._rows = 0
        self._since = time.monotonic()

    async def page(self, move: Callable[[], Awaitable[int]]) -> int:
        """Have ``move`` move a page, note how it went, and give back how many rows it moved."""
        try:
            rows = await move()
        except Exception as error:
            await self.failed(error)
            raise
        await self.moved(rows, last=rows == 0)
        return rows

    async def moved(self, rows: int, *, last: bool = False) -> None:
        """Some rows were moved; ``last``: nothing more is coming, so it is noted now."""
        now = time.monotonic()
        if not self._rows:
            # an idle time before it is no part of the rate, but the page that ends it is
            self._since = min(now - 0.001, max(self._since, now - EVERY))
        self._rows += rows
        if self._rows and (last or now - self._since >= EVERY):
            moved, span = self._rows, now - self._since
            self._rows, self._since = 0, now
            await self._note("note_moved", rows=moved, rate=moved / span)

    async def failed(self, error: Exception) -> None:
        """It stopped for an error; what it had moved before is noted too."""
        await self.moved(0, last=True)
        await self._note("note_error", error=in_our_words(error))

    async def _note(self, query: str, **values: Any) -> None:
        with suppress(*NOT_NOW):
            await sql.execute(
                self._pool, query, stream=self._stream, at=datetime.now(UTC), **values
            )
