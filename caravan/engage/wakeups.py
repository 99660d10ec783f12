"""Wake-ups: a queue of traversals whose workflow is to look at its row again."""

from collections.abc import Sequence
from typing import Any

from caravan.engage import sql

#: NOTIFY channel that nudges the dispatcher
CHANNEL = "caravan_wakeups"


async def queue(conn: Any, traversal_ids: Sequence[int], reason: str) -> None:
    """Queue wake-ups; the dispatcher turns them into signals once this commits."""
    if traversal_ids:
        await sql.execute(conn, "wake", traversal_ids=list(traversal_ids), reason=reason)
        await nudge(conn)


async def nudge(conn: Any) -> None:
    await conn.execute(f"notify {CHANNEL}")
