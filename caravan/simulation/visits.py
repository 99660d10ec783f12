"""Visits: the arrivals of traversals at nodes, put together from steps, participants and ledger."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caravan.journeys.reasons import SkipReason
from caravan.simulation import sql

PAGE = 2000
#: the ledger's word for a service's answer, and why a person has none
CALL, LOST = "call", (SkipReason.TIMEOUT, SkipReason.FAILED)


@dataclass
class Visit:
    """One arrival at one node, and what came of it."""

    node: str
    number: int
    arrived_at: datetime
    edge: str | None = None
    left_at: datetime | None = None
    event: str | None = None
    person: str | None = None
    fault: str | None = None  # of the account's time zone
    decided_by: str | None = None  # recorded (a line said so), nobody, or of real accounts a model
    paths: dict[str, str | None] = field(default_factory=dict)  # of people, in order of id
    effects: list[Any] = field(default_factory=list)  # by action, then person


@dataclass
class Walked:
    """One traversal with its visits in order."""

    row: Any
    visits: list[Visit] = field(default_factory=list)

    def is_inside(self, visit: Visit) -> bool:
        """Whether the account is still at this visit."""
        return (
            self.row["ended_at"] is None
            and visit is self.visits[-1]
            and visit.edge is None
            and self.row["position"] in (visit.node, None)
        )


async def walked(conn: Any, journey_id: int, start: str) -> AsyncIterator[Walked]:
    """All traversals of a journey, which begins at ``start``, page by page."""
    after = 0
    while True:
        rows = await sql.fetch(
            conn, "traversals_walked", journey_id=journey_id, after=after, limit=PAGE
        )
        if not rows:
            return
        after = rows[-1]["id"]
        page = {row["id"]: Walked(row) for row in rows}
        await _fill(conn, page)
        for one in page.values():
            _add_open(one, start)
            yield one


def _add_open(one: Walked, start: str) -> None:
    """The visit of an account that stands where it has taken no step: it waits for a decision."""
    row, last = one.row, one.visits[-1] if one.visits else None
    position = row["position"] or start  # before its first step the row says nothing
    if row["ended_at"] is not None or (
        last is not None and last.node == position and last.edge is None
    ):
        return
    number = (row["visits"] or {}).get(position, 1)
    one.visits.append(Visit(position, number, row["arrived_at"] or row["entered_at"]))


async def _fill(conn: Any, page: dict[int, Walked]) -> None:
    ids = list(page)
    found: dict[tuple[int, str, int], Visit] = {}
    for step in await sql.fetch(conn, "steps_walked", ids=ids):
        key = (step["traversal_id"], step["node"], step["visit"])
        visit = found.get(key)
        if visit is None:
            visit = found[key] = Visit(step["node"], step["visit"], step["arrived_at"])
            page[step["traversal_id"]].visits.append(visit)
        visit.fault = step["fault"] or visit.fault
        if step["edge"] is not None:
            visit.edge, visit.left_at = step["edge"], step["at"]
            visit.event, visit.person = step["event"], step["person"]
            visit.decided_by = step["decided_by"]
    for row in await sql.fetch(conn, "participants_walked", ids=ids):
        visit = found.get((row["traversal_id"], row["node"], row["visit"]))
        if visit is not None:
            visit.paths[row["person"]] = row["path"]
    for row in await sql.fetch(conn, "effects_walked", ids=ids):
        visit = found.get((row["traversal_id"], row["node"], row["visit"]))
        if visit is None:
            continue
        if row["action"] != CALL:
            visit.effects.append(row)
        elif row["person"] is not None and row["reason"] in LOST:
            visit.paths[row["person"]] = row["reason"]
