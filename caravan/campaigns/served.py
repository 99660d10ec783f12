"""What serving a traversal came to, whoever served it: the stores, a send, a call or a decision."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from caravan.campaigns.progress import Locked, Stored
from caravan.journeys.control import ControlPlan
from caravan.journeys.moving import Moved
from caravan.journeys.state import Ended, Outcome


@dataclass(frozen=True)
class Served:
    """The recorded steps, for the workflow to follow one by one, or the end that overtook them."""

    outcomes: list[Outcome]
    ended: Ended | None
    _: KW_ONLY
    control: ControlPlan | None = None  # of the version the account is in
    more: bool = False  # more stored steps than one answer holds: ask again from there
    large: bool = False  # what follows is much: go on in an ordinary activity
    held_until: datetime | None = None  # paused or halted: it stands still until that is over
    moved: Moved | None = None  # to another version: the outcomes follow from its state


def decided_before(locked: Locked, stored: Stored, before: Sequence[Outcome] = ()) -> Served:
    """What another try has decided, or whoever has closed the traversal.

    Args:
        before: what was decided on the way to it; it is among what is stored where the account has moved since.
    """
    return Served(
        [*([] if stored.moved else before), *stored.outcomes],
        None if stored.more else locked.ended,
        more=stored.more,
        control=locked.loaded.control,
        moved=stored.moved,
    )
