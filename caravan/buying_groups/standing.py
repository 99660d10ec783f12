"""How a group stands: what follows from who is in it, brought up to date in the same transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from caravan.buying_groups import completeness, engagement, qualifying
from caravan.engage.happening import Happening


async def refresh(conn: Any, group_ids: Sequence[int], at: datetime) -> list[Happening]:
    """Bring the numbers of groups up to date.

    Args:
        conn: of the engage store, in a transaction that has locked the groups (``hold`` of membership).
        group_ids: whose members, template or solution interest may have changed.
        at: domain time.

    Returns:
        What happened by it, for the caller to record.
    """
    return [
        *await completeness.recount(conn, group_ids, at),
        *await engagement.rescore(conn, group_ids, at),
        *await qualifying.qualify(conn, group_ids, at),
    ]
