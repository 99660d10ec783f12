"""Imports under way: an account that is new is whole once all files of its import are in.

The file of accounts comes before that of their people. Whoever let an account enter a journey in between
would mail nobody.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from caravan.database.outbox import nudge
from caravan.platform import sql


@asynccontextmanager
async def running(pool: Any) -> AsyncIterator[None]:
    """While this lasts, accounts that were not there before it are not whole.

    It also ends when the process dies: what it brought by then is all there is.

    Args:
        pool: of the sandbox; one of its connections is held.
    """
    async with pool.acquire() as conn:
        async with conn.transaction():
            begun = await sql.fetchrow(conn, "begin_import")
            await sql.execute(conn, "hold_import", id=begun["id"])
        try:
            yield
        finally:
            async with conn.transaction():
                await sql.execute(conn, "end_import", id=begun["id"])
                await nudge(conn)
            await sql.execute(conn, "release_import", id=begun["id"])


async def ended(platform: Any) -> list[int]:
    """Imports that are over, asked before a page of the outbox is read: a page that is the last has all of them."""
    if not await sql.fetchval(platform, "any_imports"):
        return []
    await sql.execute(platform, "end_dead_imports")
    return [row["id"] for row in await sql.fetch(platform, "ended_imports")]


async def newest_complete(platform: Any, over: list[int]) -> int | None:
    """The number above which accounts may not be whole; None: all are.

    Args:
        platform: the sandbox.
        over: imports of which everything has come down.
    """
    newest: int | None = await sql.fetchval(platform, "newest_complete", over=over)
    return newest


async def forget(platform: Any, over: list[int]) -> None:
    """Remove imports of which everything has come down."""
    if over:
        await sql.execute(platform, "forget_imports", ids=over)
