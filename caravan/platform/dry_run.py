"""Doing something to a sandbox to see what would come of it, and leaving no trace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class OneTransaction:
    """Stands for a pool: all that ask it work in one transaction, and their own are steps of that one."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        yield self._conn


@asynccontextmanager
async def dry_run(pool: Any) -> AsyncIterator[OneTransaction]:
    """A sandbox on which everything happens as on the real one, and is taken back at the end.

    While it lasts other writers of records wait.
    """
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            yield OneTransaction(conn)
        finally:
            await transaction.rollback()
