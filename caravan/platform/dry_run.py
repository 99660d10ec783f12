"""Doing something to a sandbox to see what would come of it, and leaving no trace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from caravan.database.one_connection import OneConnection
from caravan.platform import sql


@asynccontextmanager
async def dry_run(pool: Any) -> AsyncIterator[OneConnection]:
    """A sandbox on which everything happens as on the real one, and is taken back at the end.

    It is one transaction, for minutes if need be. While it lasts other writers of records wait: imports until it
    is over, whoever else until their own transaction is too long, and they try again. What they would
    write flows down afterwards.
    """
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            await sql.execute(conn, "allow_minutes")
            yield OneConnection(conn)  # the transactions of who asks are steps of this one
        except BaseException:
            # where the connection is lost nothing is left to take back, and what lost it is what is told
            with suppress(asyncpg.InterfaceError, asyncpg.PostgresConnectionError):
                await transaction.rollback()
            raise
        await transaction.rollback()
