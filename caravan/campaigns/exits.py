"""Exits at work: looked at on every arrival, and while an account rests whenever its data changes.

While a traversal rests, a row watches for it. Whoever changes something of the account looks at the row's
exits in the same transaction and writes down the one that is met: the first commit wins, and the
traversal takes that one when it is woken, whatever the data says by then. Where time alone may change
the answer, the instant is kept too, and the traversal looks for itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns.choosing import evidence, first_match
from caravan.campaigns.plans import LoadedPlan, PlanCache
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.conditions.sql import Binder, compile_condition
from caravan.journeys.exits import Exit, still_open
from caravan.journeys.state import State
from caravan.journeys.zones import Zones


@dataclass(frozen=True)
class Look:
    """What came of looking: the edge of the first exit that is met, or when to look again."""

    edge: str | None = None
    because: dict[str, Any] | None = None
    flip: datetime | None = None


async def on_arrival(visit: Visit, state: State) -> Look:
    """Look at the exits of an account that has come to a node."""
    exits = still_open(visit.loaded.plan.exits, state.visits)
    return await _look(visit.conn, visit.loaded, exits, visit.named, visit.zones)


async def at_rest(visit: Visit, state: State) -> Look:
    """Look at the exits of an account that rests; one that somebody saw met meanwhile counts."""
    row = await sql.fetchrow(visit.conn, "exit_watch_of_traversal", traversal_id=visit.traversal.id)
    if row is not None and row["edge"] is not None:
        return Look(row["edge"], row["because"])
    return await on_arrival(visit, state)


async def watch(visit: Visit, state: State, flip: datetime | None) -> None:
    """Have the exits looked at whenever data changes, until ``unwatch``.

    The caller holds the account as who arms a listener does, so no change slips between its look and
    this row.
    """
    exits = still_open(visit.loaded.plan.exits, state.visits)
    await sql.execute(
        visit.conn,
        "watch_exits",
        traversal_id=visit.traversal.id,
        account_id=visit.traversal.account_id,
        plan_hash=visit.traversal.plan_hash,
        exits=[one.name for one in exits],
        next_flip=flip,
    )


async def unwatch(visit: Visit) -> None:
    """The rest is over."""
    await sql.execute(visit.conn, "unwatch_exits", traversal_id=visit.traversal.id, at=visit.as_of)


async def reconsider(
    conn: Any, plans: PlanCache, account_ids: Sequence[int], as_of: datetime
) -> list[int]:
    """Look at the exits of resting accounts whose data has just changed in this transaction.

    Returns:
        The traversals to wake: an exit is met, or time alone may change it sooner than it seemed.
    """
    woken = []
    for row in await sql.fetch(conn, "exit_watches", account_ids=list(account_ids)):
        loaded = await plans.load(conn, row["plan_hash"])
        exits = [one for one in loaded.plan.exits if one.name in row["exits"]]
        named = {
            "account_id": row["account_id"],
            "traversal_id": row["traversal_id"],
            "entered_at": row["entered_at"],
            "as_of": as_of,
            "node": None,  # it rests: its arrival is stored
            "arrived_at": None,
        }
        seen = await _look(conn, loaded, exits, named, loaded.zones(row["time_zone"]))
        sooner = seen.flip is not None and (
            row["next_flip"] is None or seen.flip < row["next_flip"]
        )
        if seen.edge is not None or sooner:
            woken.append(row["traversal_id"])
            await sql.execute(
                conn,
                "note_look",
                traversal_id=row["traversal_id"],
                edge=seen.edge,
                because=seen.because,
                next_flip=seen.flip,
            )
    return woken


async def _look(
    conn: Any,
    loaded: LoadedPlan,
    exits: Sequence[Exit],
    named: dict[str, Any],
    zones: Zones,
) -> Look:
    if not exits:
        return Look()

    def build(binder: Binder) -> str:
        fragments = [compile_condition(one.when, "account", binder) for one in exits]
        flips = [
            flip
            for one in exits
            for flip in compile_condition(one.when, "account", binder, flips=True).flips
        ]
        soonest = f"least({', '.join(flips)})" if flips else "null::timestamptz"
        return (
            f"select {first_match(fragments, [one.name for one in exits], None, binder)} as edge,"
            f" {evidence(fragments, binder)} as because, {soonest} as flip"
            f" from accounts a where a.id = {binder.named('account_id', 'bigint')}"
        )

    query = loaded.query(("exits", "", *(one.name for one in exits)), build, zones)
    row = await query.fetchrow(conn, **named)
    return Look(row["edge"], row["because"], row["flip"])
