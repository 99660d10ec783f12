"""Completeness: the mean over the required roles of how far each has the people it needs.

``mean(min(assigned, members required) / members required) × 100``. (product.md §3.7; the formula that
the original prints contradicts its own examples.) A template without required roles makes no group
complete: there is nothing to complete, and it stays at 0.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from math import ceil, floor
from typing import Any

from caravan.engage import sql
from caravan.engage.happening import Happening


async def recount(conn: Any, group_ids: Sequence[int], at: datetime) -> list[Happening]:
    """Count the completeness of locked groups anew.

    Returns:
        ``completeness_changed`` of those that changed by what ``is_told``.
    """
    rows = await sql.fetch(conn, "recount_completeness", group_ids=list(group_ids))
    return [
        Happening(
            "completeness_changed",
            at,
            account_id=row["account_id"],
            fields={
                "solution_interest": row["solution_interest"],
                "score": float(row["now"]),
                "from": float(row["before"]),
            },
        )
        for row in sorted(rows, key=lambda row: int(row["id"]))
        if is_told(row["before"], row["now"])
    ]


def is_told(before: Decimal, now: Decimal) -> bool:
    """Whether a change of a score is an event: people see another number, or a whole number was passed.

    The second is for listens: ``score: {at_least: 40}`` is met at 40.2, which looks like 39.6 did.
    """
    seen = shown(before) != shown(now)
    return seen or floor(before) != floor(now) or ceil(before) != ceil(now)


def shown(score: Decimal) -> int:
    """A score as people read it: whole, a half rounded up."""
    return int(score.quantize(Decimal(1), ROUND_HALF_UP))
