"""Moving accounts to another version of their journey: whoever locks a traversal moves it first.

An account moves where it stands between two nodes: before what a node does has begun, or at rest in a wait
or listen. In the middle of a node (actions behind mail, a service or a model that was asked) it finishes the node
first; so does one whose listen has heard something, or whose exit was seen met: what came first is taken.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from caravan.campaigns.plans import LoadedPlan, PlanCache
from caravan.engage import sql
from caravan.journeys import core
from caravan.journeys.moving import (
    MIGRATE,
    Moved,
    begin_there,
    kinds_of,
    move,
    why_it_stays,
)
from caravan.journeys.state import State


async def move_if_due(
    conn: Any, plans: PlanCache, row: Mapping[str, Any], loaded: LoadedPlan, at: datetime
) -> bool:
    """Move a locked traversal that is to move, or note that it stays.

    Args:
        conn: in the transaction that holds the traversal and its account.
        plans: the plans this process holds.
        row: the traversal's, of ``lock_traversal``.
        loaded: the plan of the version it is on.
        at: domain time.

    Returns:
        Whether its row is to be read again; False: it is in the middle of a node, and moves behind it.
    """
    state = State.model_validate(row["state"])
    # one whose row says nothing yet may have asked a service all the same
    stands = state if state.position else core.begin(loaded.control, row["entered_at"])
    if not await _between_nodes(conn, row, loaded, stands):
        return False
    other = await sql.fetchrow(conn, "version_to_move_to", journey_id=row["journey_id"])
    if other is None:
        return (
            True  # aborted meanwhile, or whoever is inside is taken out: nobody is to move any more
        )
    there = await plans.load(conn, other["plan_hash"])
    if state.position is None:
        behind = begin_there(there.control, row["entered_at"])
    elif why_it_stays(
        kinds_of(loaded.control), kinds_of(there.control), state.position, other["renamed"]
    ):
        await sql.execute(conn, "keep_traversal", traversal_id=row["id"], lead_no=other["lead_no"])
        return True
    else:
        behind = move(state, other["renamed"])
    await _store(conn, row, state, behind, other, at)
    return True


async def _between_nodes(
    conn: Any, row: Mapping[str, Any], loaded: LoadedPlan, state: State
) -> bool:
    command = core.next_command(loaded.control, state)
    if command is None or state.segment > 0:
        return False
    visit = {"traversal_id": row["id"], "node": command.node, "visit": command.visit}
    if command.kind == "call":
        return state.pending is None and not await sql.fetch(conn, "calls_of_visit", **visit)
    if command.kind == "decide":
        return await sql.fetchval(conn, "decision_open", **visit) is None
    if state.pending is None:
        return True
    # as who arms a listener: whoever records something of the account now is waited for, and what they
    # have decided is seen. Before any row that they lock behind the account.
    await sql.execute(conn, "lock_account_to_listen", account_id=row["account_id"])
    if command.kind == "listen":
        listener = await sql.fetchrow(
            conn, "listener_of_step", traversal_id=row["id"], purpose="listen"
        )
        if listener["closed_at"] is not None:
            return False
    watch = await sql.fetchrow(conn, "exit_watch_of_traversal", traversal_id=row["id"])
    return watch is None or watch["edge"] is None


async def _store(
    conn: Any, row: Mapping[str, Any], state: State, behind: State, other: Any, at: datetime
) -> None:
    moved = Moved(
        step_no=behind.step_no - 1,
        at=at,
        node=state.position or "",
        version=other["version"],
        left=row["plan_hash"],
        state=behind,
    )
    position = behind.position or ""
    await sql.execute(
        conn,
        "move_traversal",
        traversal_id=row["id"],
        journey_id=other["id"],
        state=behind.model_dump(mode="json", exclude_none=True),
        step_no=moved.step_no,
        node=position,
        kind=MIGRATE,
        visit=behind.visits.get(position, 0),
        arrived_at=behind.arrived_at or row["entered_at"],
        moved=moved.model_dump(mode="json", exclude_none=True),
        renamed=other["renamed"],
    )
