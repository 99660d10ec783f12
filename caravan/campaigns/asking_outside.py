"""What nodes that ask somebody outside have in common: a claim before the question, a conclusion after the answer.

Services are asked so, and models. Claim and conclusion each lock the traversal's row and look first at what is
stored: whoever comes again for a step that is recorded gets what was recorded.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns.plans import PlanCache
from caravan.campaigns.progress import Locked, Progress, lock, stored_steps
from caravan.campaigns.served import Served, decided_before
from caravan.journeys import core
from caravan.journeys.control import Target
from caravan.journeys.reasons import ExitReason
from caravan.journeys.state import Command, CommandKind


@dataclass(frozen=True)
class Open:
    """A traversal whose row is ours, that stands at something to be asked."""

    locked: Locked
    command: Command


async def opened(
    conn: Any,
    plans: PlanCache,
    kind: CommandKind,
    traversal_id: int,
    step_no: int,
    at: datetime,
    *,
    begins: bool = True,
) -> Open | Served:
    """Lock a traversal that asks something; where nothing is to be asked, what it came to instead.

    ``begins``: something is still to leave the system, which a pause or a halt forbids.
    """
    locked = await lock(conn, plans, traversal_id, at)
    stored = await recorded(conn, locked, step_no)
    command = core.next_command(locked.loaded.control, locked.state)
    asks = command is not None and command.kind == kind and locked.state.pending is None
    if stored is not None or command is None or not asks:
        return stored or Served([], None, control=locked.loaded.control)
    progress = Progress(locked)
    if at >= locked.traversal.deadline:
        progress.leave(Target(reason=ExitReason.END_DATE), at)
        await progress.save(conn, at)
        return Served([], progress.state.ended)
    if begins and await progress.hold_what_leaves(conn):
        await progress.save(conn, at)
        return Served([], None, held_until=progress.held_until)
    return Open(locked, command)


async def recorded(conn: Any, locked: Locked, step_no: int) -> Served | None:
    """What is stored from a step on, or the end; None where there is neither."""
    stored = await stored_steps(conn, locked, step_no)
    if not stored and locked.ended is None:
        return None
    return decided_before(locked, stored)
