"""How the streams of a subscription stand: what waits for each, how fast it moves, what went wrong.

What waits is asked of the stores; how fast it moves and what went wrong is what who drains it has noted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from caravan.database import outbox
from caravan.engage import sql
from caravan.platform import activity_stream, down_flow, sync
from caravan.platform.sync import Lag

#: a stream that has moved nothing for so long moves nothing now
IDLE = timedelta(seconds=15)

UP, DOWN, ACTIVITIES = "up", "down", "activities"
#: every stream, in the order in which an account meets it; the last is there where the Platform wants it
STREAMS = (
    DOWN, "bring-in", "lists", "buying-groups", "admission", "dispatch", "delivery", UP, ACTIVITIES,
)  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """One stream."""

    stream: str
    waiting: int  # rows
    lag_seconds: float  # since when the oldest of them waits
    moved: int  # rows, in all
    rate: float  # rows a second, lately
    moved_at: datetime | None
    error: str | None  # the last, also where it has gone on since
    error_at: datetime | None
    errors: int
    held_back: int = 0
    """How many of those that wait are committed, and hidden by a transaction that is still open."""
    held_back_by: str | None = None  # whose, where it has been open for long

    @property
    def is_in_trouble(self) -> bool:
        """Whether the last that was heard of it is an error."""
        if self.error_at is None:
            return False
        return self.moved_at is None or self.moved_at < self.error_at


async def standings(engage: Any, platform: Any, munchkin: str, at: datetime) -> list[Standing]:
    """All streams of a subscription, as they stand at ``at``."""
    notes = {row["stream"]: row for row in await sql.fetch(engage, "stream_notes")}
    queues = await sql.fetch(engage, "queues", at=at)
    found = {
        row["stream"]: _standing(row["stream"], row["rows"], row["oldest"], notes, at)
        for row in queues
    }
    lags = {UP: await sync.lag(engage, platform, munchkin), DOWN: await _behind(engage, platform)}
    for stream, lag in lags.items():
        found[stream] = _standing(stream, lag.rows, lag.oldest, notes, at, lag)
    if untold := await activity_stream.untold(engage, platform, munchkin):
        lag = Lag(untold.rows, untold.oldest, untold.told)
        found[ACTIVITIES] = _standing(ACTIVITIES, lag.rows, lag.oldest, notes, at, lag)
    return [found[stream] for stream in STREAMS if stream in found]


async def _behind(engage: Any, platform: Any) -> Lag:
    """How far the engage store is behind the Platform."""
    async with engage.acquire() as conn:
        cursor, applied = await outbox.where(conn, down_flow.STREAM)
    async with platform.acquire() as conn:
        waits = await outbox.waiting(conn, cursor)
    return Lag(waits.rows, waits.oldest, applied, waits.held_back, waits.holding)


def _standing(
    stream: str,
    rows: int,
    oldest: datetime | None,
    notes: dict[str, Any],
    at: datetime,
    lag: Lag | None = None,
) -> Standing:
    note = notes.get(stream)
    moved_at = note["moved_at"] if note else None
    is_moving = moved_at is not None and at - moved_at <= IDLE
    return Standing(
        stream=stream,
        waiting=rows,
        lag_seconds=max(0.0, (at - oldest).total_seconds()) if oldest and rows else 0.0,
        moved=lag.applied if lag else note["rows"] if note else 0,
        rate=note["rate"] if note and is_moving else 0.0,
        moved_at=moved_at,
        error=note["error"] if note else None,
        error_at=note["error_at"] if note else None,
        errors=note["errors"] if note else 0,
        held_back=lag.held_back if lag else 0,
        held_back_by=lag.because(at) if lag else None,
    )
