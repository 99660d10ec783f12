"""The sync of one subscription: the engage store's outbox, drained into the sandbox."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.database.outbox import Cursor, lock_cursor, read_page, waiting
from caravan.platform.merge import TABLES, apply_page, stream_of

PAGE = 5000


@dataclass(frozen=True)
class Lag:
    """How far the Platform is behind the engage store."""

    rows: int
    oldest: datetime | None
    applied: int

    def seconds(self, now: datetime) -> float:
        return max(0.0, (now - self.oldest).total_seconds()) if self.oldest else 0.0


async def drain_page(engage: Any, platform: Any, munchkin: str, at: datetime) -> int:
    """Move one page; returns how many changes it held (0: nothing waits)."""
    cursor = await cursor_of(platform, munchkin)
    async with engage.acquire() as conn:
        page = await read_page(conn, cursor, PAGE)
    if not page:
        return 0
    stray = sorted({change.entity for change in page} - set(TABLES))
    if stray:
        raise ValueError(f"{stray[0]} does not flow to the Platform")
    return await apply_page(platform, munchkin, page, cursor, at)


async def cursor_of(platform: Any, munchkin: str) -> Cursor:
    """How far the sandbox has applied a subscription's outbox."""
    async with platform.acquire() as conn:
        return await lock_cursor(conn, stream_of(munchkin))


async def lag(engage: Any, platform: Any, munchkin: str) -> Lag:
    """What waits in the engage store's outbox."""
    async with platform.acquire() as conn:
        row = await conn.fetchrow(
            "select epoch, xid::text as xid, seq, applied from cursors where stream = $1",
            stream_of(munchkin),
        )
    cursor = Cursor(row["epoch"], row["xid"], row["seq"]) if row else Cursor()
    async with engage.acquire() as conn:
        rows, oldest = await waiting(conn, cursor)
    return Lag(rows, oldest, row["applied"] if row else 0)
