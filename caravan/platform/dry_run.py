"""Doing something to a sandbox to see what would come of it, and leaving no trace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from caravan.database.one_connection import OneConnection


@asynccontextmanager
async def dry_run(pool: Any) -> AsyncIterator[OneConnection]:
    """A sandbox on which everything happens as on the real one, and is taken back at the end.

    While it lasts other writers of records wait.
    """
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            yield OneConnection(conn)  # the transactions of who asks are steps of this one
        finally:
            await transaction.rollback()
