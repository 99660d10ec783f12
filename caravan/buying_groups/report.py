"""The report of buying groups: how complete and engaged they are, where they stand and who moves
(product.md §9.4, §9.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.engage import sql
from caravan.journeys.time import EARLIEST

#: of scores: each with its lower end and without its upper one, the last with both
BANDS = ("0–25", "25–50", "50–75", "75–100")


@dataclass(frozen=True)
class Report:
    """Scores, coverage and overlap are those of now; stages and moves those of the period."""

    start: datetime
    end: datetime
    bands: Sequence[Any]
    stages: Sequence[Any]
    highest: Sequence[Any]
    fastest: Sequence[Any]
    stagnant: Sequence[Any]
    coverage: Sequence[Any]
    overlap: Sequence[Any]

    @property
    def overlapping(self) -> int:
        """How many people are in several groups."""
        return self.overlap[0]["people"] if self.overlap else 0


async def report(
    conn: Any, start: datetime, end: datetime, solution_interest: str | None, top: int
) -> Report:
    """Ask everything of one snapshot.

    Args:
        conn: a connection to the engage store.
        start: of the period; what happened at this very instant was before it.
        end: of the period, included.
        solution_interest: of which; None: of all.
        top: how many the rankings have.
    """
    of: dict[str, Any] = {"solution_interest": solution_interest}
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        return Report(
            start=start,
            end=end,
            bands=await sql.fetch(conn, "report_bands", **of),
            stages=await sql.fetch(conn, "report_stages", **of, **{"from": start, "to": end}),
            highest=await sql.fetch(conn, "report_highest", **of, top=top),
            fastest=await _fastest(conn, start, end, **of, top=top),
            stagnant=await sql.fetch(conn, "report_stagnant", **of, to=end, top=top),
            coverage=await sql.fetch(conn, "report_coverage", **of),
            overlap=await sql.fetch(conn, "report_overlap", **of, top=top),
        )


async def velocity(conn: Any, group_id: int, at: datetime) -> Any:
    """How many moves a group has made and how long each took, by the report's measure; None: not one."""
    rows = await _fastest(conn, EARLIEST, at, group_id=group_id)
    return rows[0] if rows else None


async def _fastest(
    conn: Any,
    start: datetime,
    end: datetime,
    *,
    solution_interest: str | None = None,
    group_id: int | None = None,
    top: int = 1,
) -> Sequence[Any]:
    return await sql.fetch(
        conn,
        "report_fastest",
        **{"from": start, "to": end},
        solution_interest=solution_interest,
        group_id=group_id,
        top=top,
    )
