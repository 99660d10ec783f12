"""The node of an exit that does something or leads on: no document writes it, no edge leads to it."""

from typing import Literal

from caravan.journeys.actions import Action
from caravan.journeys.control import ControlNode, Target
from caravan.journeys.nodes import do
from caravan.journeys.nodes.base import NodeBase
from caravan.journeys.nodes.segments import Placed, kinds, split_into_segments
from caravan.journeys.reasons import ExitReason


class ExitNode(NodeBase):
    """``outcome`` labels the end of an exit that does not lead on."""

    kind: Literal["exit"] = "exit"
    actions: tuple[Action, ...] = ()
    outcome: str | None = None


def segments(node: ExitNode) -> list[list[Placed]]:
    """Its actions by the activity that serves them."""
    return split_into_segments([(n, None, action) for n, action in enumerate(node.actions)])


def control(node: ExitNode) -> ControlNode:
    """What the workflow knows of it."""
    out = Target(reason=ExitReason.EXIT, label=node.outcome)
    return ControlNode(
        kind="exit",
        label=node.label or "",
        segments=kinds(segments(node)),
        edges={"next": Target(node=node.next) if node.next is not None else out},
    )


ask = do.ask
