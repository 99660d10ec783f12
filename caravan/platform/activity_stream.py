"""An extra stream, off unless the workspace wants it: what happens in the engage store, told as events.

Mails sent and what became of them, clicks, moments; nothing of buying groups, and of each activity only what
conditions may ask for. What is told goes down to no engage store again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.database import outbox
from caravan.database.outbox import Cursor, advance_cursor, lock_cursor, nudge
from caravan.journeys.events import BOT, EVENTS, TOLD
from caravan.platform import sql

PAGE = 5000


def stream_of(munchkin: str) -> str:
    """The name of a subscription's cursor."""
    return f"activities:{munchkin}"


async def want(platform: Any, wanted: bool) -> None:
    """Note whether a sandbox is to be told."""
    await sql.execute(platform, "want_activities", wanted=wanted)


async def is_wanted(platform: Any) -> bool:
    """Whether a sandbox is to be told."""
    return bool(await sql.fetchval(platform, "activities_wanted"))


async def told_upto(platform: Any, munchkin: str) -> tuple[Cursor, int] | None:
    """As far as a subscription's activities have been told, and how many; None: nobody wants to be told."""
    if not await is_wanted(platform):
        return None
    async with platform.acquire() as conn:
        return await outbox.where(conn, stream_of(munchkin))


async def tell_page(engage: Any, platform: Any, munchkin: str, at: datetime) -> int:
    """Tell the next activities, and the cursor behind them, in one transaction; returns how many there were."""
    stream = stream_of(munchkin)
    async with platform.acquire() as conn:
        cursor, _ = await outbox.where(conn, stream)
    rows = await sql.fetch(engage, "activities_to_tell", xid=cursor.xid, seq=cursor.seq, limit=PAGE)
    if not rows:
        return 0
    async with platform.acquire() as conn, conn.transaction():
        if await lock_cursor(conn, stream) != cursor:
            return 0
        await sql.execute(conn, "one_writer")  # nobody is erased in between
        await sql.execute(
            conn,
            "tell_activities",
            external_ids=[_identity(munchkin, row) for row in rows],
            types=[row["type"] for row in rows],
            ats=[row["at"] for row in rows],
            accounts=[row["account_id"] for row in rows],
            people=[row["person_id"] for row in rows],
            fields=[_told(row["type"], row["fields"]) for row in rows],
            at=at,
        )
        behind = Cursor(xid=rows[-1]["xid"], seq=rows[-1]["id"])
        await advance_cursor(conn, stream, behind, len(rows), at)
        await nudge(conn)
    return len(rows)


@dataclass(frozen=True)
class Untold:
    """What is still to be told."""

    rows: int
    oldest: datetime | None  # when it happened
    told: int  # rows, in all


async def untold(engage: Any, platform: Any, munchkin: str) -> Untold | None:
    """What a sandbox wants to be told and has not been, held back or not; None: it does not want to be told."""
    upto = await told_upto(platform, munchkin)
    if upto is None:
        return None
    cursor, told = upto
    row = await sql.fetchrow(engage, "activities_untold", xid=cursor.xid, seq=cursor.seq)
    return Untold(row["rows"], row["oldest"], told)


def _identity(munchkin: str, row: Any) -> str:
    """Told twice it is the same; a restored store that gives its number to another tells of another instant."""
    return f"{munchkin}:{row['id']}:{int(row['at'].timestamp() * 1_000_000)}"


def _told(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a condition may ask of an event, and nothing besides."""
    assert kind in TOLD
    asked = {*EVENTS[kind].names, *EVENTS[kind].tests, BOT}
    return {name: value for name, value in fields.items() if name in asked}
