"""Who waits for whom, asked of the locks: what activity tells stays as it was while a transaction looks."""

import asyncio
from typing import Any

_BLOCKED = """
select exists (select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid)))"""


async def waits_for(conn: Any, task: asyncio.Task[Any]) -> None:
    """Until somebody waits for a lock of this connection's; it is not to end before."""
    async with asyncio.timeout(20):
        while not await conn.fetchval(_BLOCKED):
            assert not task.done()
            await asyncio.sleep(0.01)
