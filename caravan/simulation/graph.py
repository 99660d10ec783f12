"""A walked journey as a graph: its nodes and ends, and how many accounts went along each edge."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from caravan.journeys.control import BEYOND, ControlNode, Target
from caravan.journeys.nodes import control
from caravan.journeys.plan import Plan
from caravan.journeys.reasons import ExitReason
from caravan.simulation.summary import BORDERS
from caravan.simulation.trace import TraceLine, kind_of

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
    """From a vertex to another: how many took each of the paths between the two, by label."""

    tail: str
    head: str
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.counts.total()


@dataclass(frozen=True)
class Graph:
    vertices: dict[str, Vertex]
    edges: dict[tuple[str, str], Edge]


def graph_of(plan: Plan, lines: Sequence[TraceLine], summary: dict[str, Any]) -> Graph:
    """The journey as it was drawn up, with the counts of a run; edges it did not name come with them."""
    vertices = {START: Vertex(START, plan.audience, "audience", came=summary["entries"])}
    edges: dict[tuple[str, str], Edge] = {}

    def edge(tail: str, head: str, label: str = "") -> Edge:
        if head.startswith(END) and head not in vertices:
            vertices[head] = Vertex(head, head.removeprefix(END), "end")
        one = edges.setdefault((tail, head), Edge(tail, head))
        one.counts.setdefault(label, 0)
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
    targets = {name: control(node).edges for name, node in plan.nodes.items()}
    for name, node in plan.nodes.items():
        for key, target in targets[name].items():
            edge(name, _head(target), _label(control(node), key))
    for (tail, head, by), count in _moves(lines).items():
        label = "" if by is None else _label(control(plan.nodes[tail]), by)
        if by in targets.get(tail, {}) and _head(targets[tail][by]) != head:
            label = BEYOND  # it had been too often where the edge leads
        edge(tail, head, label).counts[label] += count
        if head.startswith(END):
            vertices[head].came += count
    return Graph(vertices, edges)


def _label(node: ControlNode, key: str) -> str:
    return "" if key == "next" else node.names.get(key, key.replace(":", " ", 1))


def _head(target: Target) -> str:
    return target.node if target.node is not None else _end(target.reason, target.label)


def _end(reason: str | None, label: str | None) -> str:
    return END + (label or reason or ExitReason.COMPLETED)


def _moves(lines: Sequence[TraceLine]) -> Counter[tuple[str, str, str | None]]:
    """How often an account went from one vertex to another, and by which edge."""
    moves: Counter[tuple[str, str, str | None]] = Counter()
    stands: dict[tuple[str, int], tuple[str, str | None]] = {}
    for line in lines:
        body = line.body
        who = (body["account"], body["entry"])
        if body["kind"] == "exit":
            tail, edge = stands.pop(who, (body["node"], None))
            moves[(tail, _end(body["reason"], body.get("label")), edge)] += 1
        elif body["kind"] not in BORDERS:
            tail, edge = stands.get(who, (START, None))
            moves[(tail, body["node"], edge)] += 1
            stands[who] = (body["node"], line.edge)
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
