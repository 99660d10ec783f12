"""The up-flow of one subscription: the engage store's outbox, drained into its sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.database import outbox
from caravan.database.outbox import Change, Cursor, Holding, read_page
from caravan.platform.merge import TABLES, apply_page, stream_of

PAGE = 5000
#: seconds for which changes may wait for a transaction before there is a word to say about it
LONG = 5.0


@dataclass(frozen=True)
class Lag:
    """How far the Platform is behind the engage store."""

    rows: int
    oldest: datetime | None
    applied: int
    held_back: int = 0  # of the rows: they wait for a transaction of somebody else's
    holding: Holding | None = None

    def seconds(self, now: datetime) -> float:
        return max(0.0, (now - self.oldest).total_seconds()) if self.oldest else 0.0

    def because(self, now: datetime) -> str | None:
        """What holds rows back, in words, where it has done so for longer than transactions of ours take."""
        if not self.held_back or self.seconds(now) < LONG:
            return None
        return f"{self.held_back} of the changes wait for {held_by(self.holding)}"


def held_by(holding: Holding | None) -> str:
    """A transaction that holds an outbox back, in words."""
    if holding is None or holding.since is None:
        return "a transaction that Postgres does not name (pg_read_all_stats would)"
    parts = (holding.application, f"pid {holding.pid}" if holding.pid else None)
    return (
        f"a transaction open since {holding.since:%Y-%m-%d %H:%M:%SZ} in database {holding.database}"
        f" ({', '.join(part for part in parts if part)})"
    )


class UpFlow:
    """Moves pages, and reads the next while the Platform is busy with one.

    It may be given up anywhere: the cursor is committed with what it stands behind, and another that moves
    the same pages meanwhile does not make it wrong.
    """

    def __init__(
        self, engage: Any, platform: Any, munchkin: str, *, reads_ahead: bool = True
    ) -> None:
        self._engage = engage
        self._platform = platform
        self._munchkin = munchkin
        self._reads_ahead = reads_ahead
        self._cursor: Cursor | None = None  # as far as we know
        self._ahead: asyncio.Task[list[Change]] | None = None  # what lies behind it

    async def page(self, at: datetime) -> int:
        """Move one page; returns how many changes it held (0: nothing waits).

        Raises:
            StoreRestored: the engage store counts its transactions anew.
        """
        if self._cursor is None:
            self._cursor = await cursor_of(self._platform, self._munchkin)
        page = await (self._ahead or self._read(self._cursor))
        self._ahead = None
        if not page:
            return 0
        stray = sorted({change.entity for change in page} - set(TABLES))
        if stray:
            raise ValueError(f"{stray[0]} does not flow to the Platform")
        behind = page[-1].at
        if self._reads_ahead and len(page) == PAGE:
            self._ahead = asyncio.create_task(self._read(behind))
        applied = await apply_page(self._platform, self._munchkin, page, self._cursor, at)
        if not applied:  # another has moved on
            await self.close()
            return 0
        self._cursor = behind
        return applied

    async def close(self) -> None:
        """Forget where it was and what was read ahead."""
        self._cursor, ahead, self._ahead = None, self._ahead, None
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _read(self, after: Cursor) -> list[Change]:
        async with self._engage.acquire() as conn:
            return await read_page(conn, after, PAGE)


@asynccontextmanager
async def up_flow(engage: Any, platform: Any, munchkin: str) -> AsyncIterator[UpFlow]:
    """The up-flow of a subscription."""
    flow = UpFlow(engage, platform, munchkin)
    try:
        yield flow
    finally:
        await flow.close()


async def drain_page(engage: Any, platform: Any, munchkin: str, at: datetime) -> int:
    """Move one page alone; returns how many changes it held."""
    return await UpFlow(engage, platform, munchkin, reads_ahead=False).page(at)


async def cursor_of(platform: Any, munchkin: str) -> Cursor:
    """How far the sandbox has applied a subscription's outbox."""
    async with platform.acquire() as conn:
        cursor, _ = await outbox.where(conn, stream_of(munchkin))
    return cursor


async def lag(engage: Any, platform: Any, munchkin: str) -> Lag:
    """What waits in the engage store's outbox, and what keeps it there."""
    async with platform.acquire() as conn:
        cursor, applied = await outbox.where(conn, stream_of(munchkin))
    async with engage.acquire() as conn:
        waits = await outbox.waiting(conn, cursor)
    return Lag(waits.rows, waits.oldest, applied, waits.held_back, waits.holding)
