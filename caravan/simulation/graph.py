"""A walked journey as a graph: its nodes and ends, and how many accounts went along each edge."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from caravan.journeys.control import Target
from caravan.journeys.nodes import control
from caravan.journeys.plan import Plan
from caravan.simulation.summary import BORDERS
from caravan.simulation.trace import Line, kind_of

#: names of vertices that are no nodes
START = "\0start"
END = "\0end:"


@dataclass
class Vertex:
    """A node, the audience before the first, or an end."""

    name: str
    title: str
    kind: str
    about: str = ""
    came: int = 0
    inside: int = 0


@dataclass
class Edge:
    """From a vertex to another; several paths between the same two are one edge."""

    tail: str
    head: str
    labels: list[str] = field(default_factory=list)
    count: int = 0


@dataclass(frozen=True)
class Graph:
    vertices: dict[str, Vertex]
    edges: dict[tuple[str, str], Edge]


def graph_of(plan: Plan, lines: Sequence[Line], summary: dict[str, Any]) -> Graph:
    """The journey as it was drawn up, with the counts of a run; edges it did not name come with them."""
    vertices = {START: Vertex(START, plan.audience, "audience", came=summary["entries"])}
    edges: dict[tuple[str, str], Edge] = {}

    def edge(tail: str, head: str, label: str = "") -> Edge:
        if head.startswith(END) and head not in vertices:
            vertices[head] = Vertex(head, head.removeprefix(END), "end")
        one = edges.setdefault((tail, head), Edge(tail, head))
        if label and label not in one.labels:
            one.labels.append(label)
        return one

    for name, node in plan.nodes.items():
        seen, counts = control(node), summary["nodes"][name]
        vertices[name] = Vertex(
            name,
            node.label or name,
            kind_of(seen),
            _about(node),
            came=counts["arrivals"],
            inside=counts["inside"],
        )
    edge(START, plan.start)
    for name, node in plan.nodes.items():
        seen = control(node)
        for key, target in seen.edges.items():
            label = "" if key == "next" else seen.names.get(key, key)
            edge(name, _head(target), label)
    for (tail, head), count in _moves(plan.start, lines).items():
        edge(tail, head).count = count
        if head.startswith(END):
            vertices[head].came += count
    return Graph(vertices, edges)


def _head(target: Target) -> str:
    return target.node if target.node is not None else _end(target.reason, target.label)


def _end(reason: str | None, label: str | None) -> str:
    return END + (label or reason or "completed")


def _moves(start: str, lines: Sequence[Line]) -> Counter[tuple[str, str]]:
    """How often an account went from one vertex to another."""
    moves: Counter[tuple[str, str]] = Counter()
    stands: dict[tuple[str, int], str] = {}
    for line in lines:
        body = line.body
        who = (body["account"], body["entry"])
        if body["kind"] == "exit":
            moves[(stands.pop(who, body["node"]), _end(body["reason"], body.get("label")))] += 1
        elif body["kind"] not in BORDERS:
            moves[(stands.get(who, START), body["node"])] += 1
            stands[who] = body["node"]
    return moves


def _about(node: Any) -> str:
    """What a node does, in a few words."""
    kind, _, whose = node.kind.partition("_")
    match kind:
        case "do":
            words = [action.kind for action in node.actions]
        case "listen":
            words = [event.type for event in node.events]
        case "wait":
            words = [str(node.for_) if node.for_ is not None else "until a moment"]
        case _:
            words = [whose]
    return ", ".join(dict.fromkeys(words)).replace("_", " ")
