"""Recording what happened so that nobody who listens misses it.

Accounts are locked ``FOR KEY SHARE`` in id order, in a statement of its own, before the activity is
inserted and listeners are matched; arming a listener locks the account ``FOR UPDATE``. So either the
listener sees the activity or the activity sees the listener.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caravan.campaigns import exits, listening
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql

#: NOTIFY channel that nudges the dispatcher of wake-ups
WAKEUPS = "caravan_wakeups"


@dataclass(frozen=True)
class Happening:
    """An activity about to be recorded. ``external_id`` makes recording it twice harmless."""

    type: str
    at: datetime
    account_id: int | None = None
    person_id: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    external_id: str | None = None


async def record(
    conn: Any, plans: PlanCache, happenings: Sequence[Happening], as_of: datetime
) -> int:
    """Insert activities and close the listeners they satisfy, in the caller's transaction.

    Returns:
        How many were new.
    """
    if not happenings:
        return 0
    touched = await sql.fetch(
        conn,
        "share_accounts_touched",
        person_ids=_ids(h.person_id for h in happenings),
        account_ids=_ids(h.account_id for h in happenings),
    )
    account_ids = [row["id"] for row in touched]
    inserted = await sql.fetchrow(
        conn,
        "insert_activities",
        external_ids=[h.external_id for h in happenings],
        types=[h.type for h in happenings],
        ats=[h.at for h in happenings],
        account_ids=[h.account_id for h in happenings],
        person_ids=[h.person_id for h in happenings],
        fields=[h.fields for h in happenings],
        touched_ids=account_ids,
    )
    # also where all were known already: one that came in as history has not been heard yet
    types = sorted({h.type for h in happenings})
    woken = await listening.hear(conn, plans, account_ids, types, as_of)
    await wake(conn, woken, "heard")
    if inserted["watched"]:
        await look_at_exits(conn, plans, account_ids, as_of)
    return int(inserted["new"])


async def look_at_exits(
    conn: Any, plans: PlanCache, account_ids: Sequence[int], as_of: datetime
) -> None:
    """What was written about these accounts may have an exit met: wake who rests and is to leave."""
    await wake(conn, await exits.reconsider(conn, plans, account_ids, as_of), "exit")


async def wake(conn: Any, traversal_ids: Sequence[int], reason: str) -> None:
    """Queue wake-ups; the dispatcher turns them into signals once this commits."""
    if traversal_ids:
        await sql.execute(conn, "wake", traversal_ids=list(traversal_ids), reason=reason)
        await conn.execute(f"notify {WAKEUPS}")


def _ids(values: Iterable[int | None]) -> list[int]:
    return sorted({value for value in values if value is not None})
