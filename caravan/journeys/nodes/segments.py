"""Segments: the runs of an action node's actions that one activity serves.

The first is always one of the stores: it fixes who the people of this arrival are.
"""

from caravan.journeys.actions import Action
from caravan.journeys.control import Segment

#: (position of the action over the whole node, path it belongs to, the action)
Placed = tuple[int, str | None, Action]


def split_into_segments(placed: list[Placed]) -> list[list[Placed]]:
    """Maximal runs of store and of send actions, in order, led by a store run (maybe empty)."""
    segments: list[list[Placed]] = [[]]
    sending = False
    for one in placed:
        if one[2].sends != sending:
            segments.append([])
            sending = one[2].sends
        segments[-1].append(one)
    return segments


def kinds(segments: list[list[Placed]]) -> tuple[Segment, ...]:
    """Which activity serves each segment."""
    return tuple(
        Segment.SEND if segment and segment[0][2].sends else Segment.STORE for segment in segments
    )


def acts_on_people(segment: list[Placed]) -> bool:
    """Whether an action of it is for each person, not for the account."""
    return any(action.context == "person" for _, _, action in segment)
