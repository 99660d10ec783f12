"""Reading and nothing else: a transaction in which the server refuses every write, whoever asks for one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from caravan.database.one_connection import OneConnection


@asynccontextmanager
async def read_only(pool: Any) -> AsyncIterator[OneConnection]:
    """One snapshot of a store."""
    async with (
        pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield OneConnection(conn)
