"""Effects: what an action does to whom, noted in the ledger in the transaction of the write itself.

Nothing here keeps a write from being done twice: that is the traversal's lock and the number of the
step (see ``stretch.py``). The ledger says what was done, and why not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.reasons import SkipReason

#: the ledger's person of an effect on the account itself
ACCOUNT = 0


@dataclass(frozen=True)
class Place:
    """Where an action stands in its node: the stable part of its effects' keys."""

    position: int
    path: str | None  # of a people split; None on a straight node


@dataclass(frozen=True)
class Effect:
    """What became of one person, or of the account; ``reason`` says why it was left out."""

    person_id: int
    reason: SkipReason | None = None


async def note(visit: Visit, place: Place, action: str, effects: Sequence[Effect]) -> None:
    """Write the ledger rows of an action."""
    if not effects:
        return
    await sql.execute(
        visit.conn,
        "note_effects",
        traversal_id=visit.traversal.id,
        node=visit.node,
        visit=visit.number,
        position=place.position,
        action=action,
        person_ids=[effect.person_id for effect in effects],
        reasons=[effect.reason for effect in effects],
        paths=[place.path] * len(effects),
        at=visit.as_of,
    )
