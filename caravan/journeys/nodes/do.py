"""The node ``do``: actions on the account and its people, in order."""

from typing import Literal

from caravan.journeys.actions import Action
from caravan.journeys.actions.reading import read_actions
from caravan.journeys.control import ControlNode, Segment
from caravan.journeys.nodes.base import NodeBase, read_max_visits, read_way_on, target
from caravan.journeys.nodes.segments import Placed, kinds, split_into_segments
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope
from caravan.journeys.state import Command


class Do(NodeBase):
    kind: Literal["do"] = "do"
    actions: tuple[Action, ...]


def segments(node: Do) -> list[list[Placed]]:
    """Its actions by the activity that serves them."""
    return split_into_segments([(n, None, action) for n, action in enumerate(node.actions)])


def control(node: Do) -> ControlNode:
    """What the workflow knows of it."""
    return ControlNode(
        kind="do",
        label=node.label or "",
        segments=kinds(segments(node)),
        edges={"next": target(node.next, node.end)},
    )


def ask(control: ControlNode, name: str, visit: int, segment: int) -> Command:
    """Serve the next segment."""
    kind = "send" if control.segments[segment] is Segment.SEND else "store"
    return Command(kind=kind, node=name, visit=visit, segment=segment)


def read(fields: Fields, scope: JourneyScope) -> Do | None:
    """From a document's mapping."""
    actions = read_actions(fields, scope)
    label, zone = fields.text("label", longest=NAME_LIMIT), fields.zone()
    to, end = read_way_on(fields, scope)
    max_visits = read_max_visits(fields, scope)
    if not fields.finish() or actions is None:
        return None
    return Do(label=label, zone=zone, next=to, end=end, max_visits=max_visits, actions=actions)
