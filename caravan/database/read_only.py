"""Reading and nothing else: a transaction in which the server refuses every write, whoever asks for one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class ReadOnly:
    """Its connection, also where a pool is asked for."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn
        self.fetch = conn.fetch
        self.fetchrow = conn.fetchrow
        self.fetchval = conn.fetchval
        self.execute = conn.execute
        self.transaction = conn.transaction

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        yield self._conn


@asynccontextmanager
async def read_only(pool: Any) -> AsyncIterator[ReadOnly]:
    """One snapshot of a store."""
    async with (
        pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield ReadOnly(conn)
