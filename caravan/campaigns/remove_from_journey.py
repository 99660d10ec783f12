"""The action ``remove_from_journey``: the account leaves another journey, and nothing of it commits after.

The other traversal is closed as from outside: by its row, whose epoch everything of it asks for. Its
row must be locked before the account is, for whoever serves it locks the two in that order; so a stretch
begins with such an action, and never comes to one (see ``stretch.py``).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.progress import Locked
from caravan.campaigns.visit import Visit
from caravan.engage import sql, wakeups
from caravan.journeys.actions.remove_from_journey import RemoveFromJourney
from caravan.journeys.nodes import segment_actions
from caravan.journeys.plan import Plan
from caravan.journeys.reasons import ExitReason, SkipReason
from caravan.journeys.state import Command


@dataclass(frozen=True)
class Closing:
    """The journeys that a command may remove an account from, and the one it stands in."""

    account_id: int
    slugs: tuple[str, ...]


def left_by(plan: Plan, command: Command) -> list[str]:
    """The journeys that the actions of a command remove the account from."""
    if command.kind != "store" or command.node not in plan.removing:
        return []
    segment = segment_actions(plan.nodes[command.node])[command.segment]
    return [action.journey for _, _, action in segment if isinstance(action, RemoveFromJourney)]


def closed_by(locked: Locked, command: Command | None) -> Closing | None:
    """What has to be locked before a command of this traversal; None: nothing else."""
    slugs = left_by(locked.loaded.plan, command) if command is not None else []
    if not slugs:
        return None
    # its own row too, in its turn: of two that remove each other one waits
    return Closing(locked.traversal.account_id, (locked.traversal.slug, *slugs))


async def lock_others(conn: Any, closing: Closing | None) -> None:
    """Lock the account's traversals that are to be closed, before anything else is locked."""
    if closing is not None:
        await sql.fetch(
            conn,
            "lock_traversals_of",
            account_id=closing.account_id,
            slugs=list(closing.slugs),
        )


async def perform(visit: Visit, place: Place, action: RemoveFromJourney) -> int:
    """Close the account's traversal of the other journey."""
    other = await sql.fetchrow(
        visit.conn,
        "open_traversal",
        slug=action.journey,
        account_id=visit.traversal.account_id,
    )
    reason = None
    if other["id"] is not None:
        await remove(visit.conn, [other["id"]], visit.as_of)
    else:
        reason = SkipReason.NOT_INSIDE if other["runs"] else SkipReason.JOURNEY_NOT_LIVE
    await note(visit, place, action.kind, [Effect(ACCOUNT, reason)])
    return 1


async def remove(conn: Any, traversal_ids: list[int], at: datetime) -> None:
    """Close traversals with the reason ``removed``; what they had not sent yet is not sent."""
    reason = ExitReason.REMOVED
    await sql.fetch(conn, "close_traversals", traversal_ids=traversal_ids, reason=reason, at=at)
    await wakeups.queue(conn, traversal_ids, reason)
