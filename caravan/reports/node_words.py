"""Nodes, their ways out and the steps taken at them in the words of the language, not of the machine that takes them."""

from collections.abc import Mapping
from typing import Any

from caravan.journeys import nodes
from caravan.journeys.control import EXIT
from caravan.journeys.nodes import Node
from caravan.journeys.nodes.call import Call
from caravan.journeys.nodes.decide import Decide
from caravan.journeys.nodes.listen import Listen
from caravan.journeys.nodes.paths import OTHERWISE
from caravan.journeys.nodes.split_accounts import SplitAccounts
from caravan.journeys.nodes.variants_accounts import VariantsAccounts
from caravan.journeys.plan import Plan
from caravan.reports.readable import readable

#: nodes whose numbered ways out are paths
WITH_PATHS = (SplitAccounts, VariantsAccounts, Decide, Call)


def kind_of(node: Node) -> str:
    """The kind of a node as documents write it: splits and variants of accounts and people are one."""
    return node.kind.partition("_")[0]


def of_whom(node: Node) -> str | None:
    """``accounts`` or ``people``, where a node of its kind is of either."""
    return node.kind.partition("_")[2] or None


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


def happened(plan: Plan, step: Mapping[str, Any]) -> str:
    """What a step of ``reports/account_steps.py`` came to, in a few words."""
    node, edge = plan.nodes.get(step["node"]), step["edge"]
    if edge is not None and edge.startswith(f"{EXIT}:"):
        return f"takes the exit {readable(edge.partition(':')[2])}"
    if edge is None and step["until"] is not None:
        rests = {"listen": "listens", "call": "has asked, an answer counts"}
        return f"{rests.get(step['command'], 'waits')} until {readable(step['until'])}"
    return _came_to(node, step)


def _came_to(node: Node | None, step: Mapping[str, Any]) -> str:
    edge, counts = step["edge"], step["counts"]
    name = "" if edge is None else readable(path_name(node, edge))
    match step["command"]:
        case "send":
            said = ", ".join(
                f"{n} {state.replace('_', ' ')}" for state, n in (counts or {}).items()
            )
            return f"mail: {said or 'nobody to mail'}"
        case "choose":
            return OTHERWISE if edge == OTHERWISE else f"path {name}"
        case "decide":
            return f"decided: {OTHERWISE if edge == OTHERWISE else f'path {name}'}"
        case "wait":
            return "waited"
        case "listen":
            return "nothing heard in time" if edge == "timeout" else f"heard {name}"
        case "call":
            return _answered(edge, name)
    actions = _actions(node, step["segment"])
    return ", ".join(actions) or ("arrives" if step["segment"] == 0 else "done")


def _answered(edge: str | None, name: str) -> str:
    match edge:
        case "timeout":
            return "no answer in time"
        case "failed":
            return "the service failed"
        case None | "next":
            return "answered"
        case "otherwise":
            return "answered, no path fits"
    return f"answered: path {name}"


def _actions(node: Node | None, segment: int) -> list[str]:
    """What is done in a segment of a node, each kind of action once."""
    segments = nodes.segment_actions(node) if node is not None else []
    placed = segments[segment] if segment < len(segments) else []
    return list(dict.fromkeys(action.kind for _, _, action in placed))
