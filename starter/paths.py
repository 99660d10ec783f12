"""The ways out of a node as a person knows them: labels and events, not numbers."""

from caravan.journeys.nodes import Node
from caravan.journeys.nodes.call import Call
from caravan.journeys.nodes.decide import Decide
from caravan.journeys.nodes.listen import Listen
from caravan.journeys.nodes.split_accounts import SplitAccounts
from caravan.journeys.nodes.variants_accounts import VariantsAccounts

#: nodes whose numbered ways out are paths
WITH_PATHS = (SplitAccounts, VariantsAccounts, Decide, Call)


def path_name(node: Node | None, edge: str) -> str:
    """The name of an outcome: a path's label or else its number, a listen's event, or as it is."""
    if not edge.isdecimal():
        return edge
    number = int(edge) - 1
    if isinstance(node, WITH_PATHS) and number < len(node.paths):
        return node.paths[number].label or edge
    if isinstance(node, Listen) and number < len(node.events):
        events = [event.event for event in node.events]
        name = events[number]
        return name if events.count(name) == 1 else f"{name} ({edge})"
    return edge
