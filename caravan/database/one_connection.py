"""One connection in the place of a pool: whoever asks for one gets it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any


class OneConnection:
    """Asks by itself too, as a pool does."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn
        self.fetch = conn.fetch
        self.fetchrow = conn.fetchrow
        self.fetchval = conn.fetchval
        self.execute = conn.execute

    def transaction(self, **options: Any) -> AbstractAsyncContextManager[Any]:
        made: AbstractAsyncContextManager[Any] = self._conn.transaction(**options)
        return made

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        yield self._conn
