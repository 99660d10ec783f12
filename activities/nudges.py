"""Nudges: Postgres NOTIFY as a wake-up for whoever drains, one connection per pool for all of them.

A connection for each activity would take a whole pool away from the work once enough journeys are
live. A nudge may be lost (a connection that broke, say); polling is the truth.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg


class Nudges:
    """Shares one listening connection per pool among all that wait on it."""

    def __init__(self) -> None:
        self._ears: dict[Any, _Ear] = {}
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def set_by(self, pool: Any, channel: str, event: asyncio.Event) -> AsyncIterator[None]:
        """Set ``event`` on every NOTIFY of ``channel`` until the block ends."""
        async with self._turn:
            ear = self._ears.get(pool)
            if ear is None or ear.broken():
                ear = self._ears[pool] = _Ear(await pool.acquire())
            await ear.add(channel, event)
        try:
            yield
        finally:
            async with self._turn:
                await ear.remove(channel, event)
                if not ear.events:
                    if self._ears.get(pool) is ear:
                        del self._ears[pool]
                    await pool.release(ear.conn)


class _Ear:
    """A listening connection and the events it sets, by channel."""

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self.events: dict[str, list[asyncio.Event]] = {}

    def broken(self) -> bool:
        """Whether the server is gone; whoever comes next listens on a new connection."""
        try:
            return bool(self.conn.is_closed())
        except asyncpg.InterfaceError:
            return True

    async def add(self, channel: str, event: asyncio.Event) -> None:
        if channel not in self.events:
            await self.conn.add_listener(channel, self._tell)
        self.events.setdefault(channel, []).append(event)

    async def remove(self, channel: str, event: asyncio.Event) -> None:
        self.events[channel].remove(event)
        if not self.events[channel]:
            del self.events[channel]
            with suppress(asyncpg.InterfaceError):  # the connection broke: nothing to take back
                await self.conn.remove_listener(channel, self._tell)

    def _tell(self, _conn: Any, _pid: int, channel: str, _payload: str) -> None:
        for event in self.events.get(channel, ()):
            event.set()
