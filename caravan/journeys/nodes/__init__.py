"""The registry of node types: a new one is its own file and a line here."""

from types import ModuleType
from typing import Annotated

from pydantic import Field

from caravan.journeys.control import BEYOND, ControlNode, NodeKind
from caravan.journeys.nodes import (
    call,
    decide,
    do,
    exit,
    listen,
    split_accounts,
    split_people,
    variants_accounts,
    variants_people,
    wait,
)
from caravan.journeys.nodes.base import target
from caravan.journeys.nodes.call import Call
from caravan.journeys.nodes.decide import Decide
from caravan.journeys.nodes.do import Do
from caravan.journeys.nodes.exit import ExitNode
from caravan.journeys.nodes.listen import Listen
from caravan.journeys.nodes.segments import Placed
from caravan.journeys.nodes.split_accounts import SplitAccounts
from caravan.journeys.nodes.split_people import SplitPeople
from caravan.journeys.nodes.variants_accounts import VariantsAccounts
from caravan.journeys.nodes.variants_people import VariantsPeople
from caravan.journeys.nodes.wait import Wait
from caravan.journeys.reasons import ExitReason
from caravan.journeys.state import Command

Node = Annotated[
    Do
    | SplitAccounts
    | SplitPeople
    | VariantsAccounts
    | VariantsPeople
    | Wait
    | Listen
    | Call
    | Decide
    | ExitNode,
    Field(discriminator="kind"),
]

REGISTRY: dict[NodeKind, ModuleType] = {
    "do": do,
    "split_accounts": split_accounts,
    "split_people": split_people,
    "variants_accounts": variants_accounts,
    "variants_people": variants_people,
    "wait": wait,
    "listen": listen,
    "call": call,
    "decide_accounts": decide,
    "exit": exit,
}


def ask(node: ControlNode, name: str, visit: int, segment: int) -> Command:
    """The command a node asks for."""
    command: Command = REGISTRY[node.kind].ask(node, name, visit, segment)
    return command


def control(node: Node) -> ControlNode:
    """A node as the workflow sees it."""
    seen: ControlNode = REGISTRY[node.kind].control(node)
    if node.max_visits is None:
        return seen
    beyond = target(node.max_visits.next, node.max_visits.end, ExitReason.MAX_VISITS)
    return seen.model_copy(
        update={"most_visits": node.max_visits.count, "edges": {**seen.edges, BEYOND: beyond}}
    )


def acts(node: Node) -> bool:
    """Whether a node carries out actions."""
    return hasattr(REGISTRY[node.kind], "segments")


def abouts(node: Node) -> dict[int, dict[str, str]]:
    """What the actions of a node are about, by their position: it keys their effects."""
    return {
        position: action.about
        for segment in segment_actions(node)
        for position, _, action in segment
    }


def segment_actions(node: Node) -> list[list[Placed]]:
    """The actions of an action node by segment; none for others."""
    if not acts(node):
        return []
    segments: list[list[Placed]] = REGISTRY[node.kind].segments(node)
    return segments
