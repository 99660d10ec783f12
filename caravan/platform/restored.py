"""After a store was restored from a backup: both outboxes begin a new epoch and are read from their beginning.

A cluster that was restored counts transactions anew, or from an earlier number, so no cursor says any more what
was read behind it. What is known already changes nothing when it comes again: fields have their as_of, events
their ids. Nor may a number be given twice: the sandbox goes on above all that either store knows.

What neither outbox tells any more is found by ``caravan sync verify``.
"""

from dataclasses import dataclass
from typing import Any

from caravan.database import outbox
from caravan.database.outbox import nudge
from caravan.platform import activity_stream, down_flow, sql
from caravan.platform.merge import TABLES, stream_of


@dataclass(frozen=True)
class Begun:
    """The epochs that have begun, by store, and the number of record that the sandbox goes on above."""

    engage: int
    platform: int
    numbers_from: int


async def begin_anew(engage: Any, platform: Any, munchkin: str) -> Begun:
    """Begin anew between the two stores of a pair. Broken off, it may be given again.

    Args:
        engage: pool of the subscription.
        platform: pool of its sandbox.
        munchkin: the subscription.
    """
    up = stream_of(munchkin)
    async with platform.acquire() as conn:
        up_to, _ = await outbox.where(conn, up)
    async with engage.acquire() as conn, conn.transaction():
        highest = max(
            [await sql.fetchval(conn, f"highest_of_{table}") for table in TABLES.values()]
        )
        # the stream that follows the Platform holds its cursor while it works: it ends its page first
        down_to = await outbox.lock_cursor(conn, down_flow.STREAM)
        await outbox.set_back(conn, down_flow.STREAM)
        of_engage = await outbox.begin_epoch(conn, up_to)
    # by itself: who writes both tables would wait for us in the one, and we for him in the other
    async with engage.acquire() as conn, conn.transaction():
        await conn.execute("lock table activities in share row exclusive mode")
        await sql.execute(conn, "tell_activities_from_the_beginning")
    async with platform.acquire() as conn, conn.transaction():
        await outbox.lock_cursor(conn, up)
        await outbox.set_back(conn, up)
        await outbox.set_back(conn, activity_stream.stream_of(munchkin))
        await sql.execute(conn, "one_writer")
        of_platform = await outbox.begin_epoch(conn, down_to)
        numbers_from = await sql.fetchval(conn, "number_above", highest=highest)
        await nudge(conn)
    return Begun(of_engage, of_platform, numbers_from)
