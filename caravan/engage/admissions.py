"""Admission: who may enter a journey is decided here, in Postgres, and nowhere else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from caravan.engage import sql
from caravan.journeys.state import State

#: NOTIFY channel that nudges admission
CHANNEL = "caravan_admissions"
#: entries per account and journey; re-entry rules raise it
ENTRY_LIMIT = 1


async def queue(
    conn: Any, journey: Any, account_ids: Sequence[int], entry_limit: int, at: datetime
) -> None:
    """Queue accounts that qualify for a journey; admission decides later whether they enter."""
    await sql.execute(
        conn,
        "queue_admissions",
        journey_id=journey["id"],
        account_ids=list(account_ids),
        entry_limit=entry_limit,
        at=at,
    )
    await conn.execute(f"notify {CHANNEL}")


async def admit_page(
    pool: Any, munchkin: str, journey: Any, entry_limit: int, at: datetime, limit: int = 500
) -> int:
    """Admit the next accounts of the queue, all in one transaction.

    Returns:
        How many rows were taken off the queue; 0 for a journey that takes no more entries.
    """
    async with pool.acquire() as conn, conn.transaction():
        if not await sql.fetch(conn, "takes_entries", journey_id=journey["id"], at=at):
            return 0
        rows = await sql.fetch(conn, "take_admissions", journey_id=journey["id"], limit=limit)
        if not rows:
            return 0
        await sql.fetch(
            conn,
            "admit",
            journey_id=journey["id"],
            slug=journey["slug"],
            account_ids=[row["account_id"] for row in rows],
            entry_limit=entry_limit,
            at=at,
            state=State().model_dump(mode="json", exclude_none=True),
            prefix=f"journey/{munchkin}/{journey['slug']}/",
        )
        await sql.execute(conn, "drop_admissions", ids=[row["id"] for row in rows])
        return len(rows)
