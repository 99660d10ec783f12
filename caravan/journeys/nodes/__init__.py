"""The registry of node types: a new one is its own file and a line here."""

from types import ModuleType
from typing import Annotated

from pydantic import Field

from caravan.journeys.control import ControlNode, NodeKind, Target
from caravan.journeys.nodes import call, do, listen, split_accounts, split_people, wait
from caravan.journeys.nodes.call import Call
from caravan.journeys.nodes.do import Do
from caravan.journeys.nodes.listen import Listen
from caravan.journeys.nodes.segments import Placed
from caravan.journeys.nodes.split_accounts import SplitAccounts
from caravan.journeys.nodes.split_people import SplitPeople
from caravan.journeys.nodes.wait import Wait
from caravan.journeys.state import Command

Node = Annotated[
    Do | SplitAccounts | SplitPeople | Wait | Listen | Call, Field(discriminator="kind")
]

REGISTRY: dict[NodeKind, ModuleType] = {
    "do": do,
    "split_accounts": split_accounts,
    "split_people": split_people,
    "wait": wait,
    "listen": listen,
    "call": call,
}


def ask(node: ControlNode, name: str, visit: int, segment: int) -> Command:
    """The command a node asks for."""
    command: Command = REGISTRY[node.kind].ask(node, name, visit, segment)
    return command


def lead(node: ControlNode, edge: str) -> Target:
    """Where an account goes that leaves a node by ``edge``."""
    to: Target = REGISTRY[node.kind].lead(node, edge)
    return to


def control(node: Node) -> ControlNode:
    """A node as the workflow sees it."""
    seen: ControlNode = REGISTRY[node.kind].control(node)
    return seen


def segment_actions(node: Node) -> list[list[Placed]]:
    """The actions of an action node by segment; none for others."""
    if isinstance(node, Do):
        return do.segments(node)
    if isinstance(node, SplitPeople):
        return split_people.segments(node)
    if isinstance(node, Call):
        return call.segments(node)
    return []
