"""The shape of a journey as far as it could be read: nodes that nobody comes to, and restless cycles.

A node with a problem counts as leading to the nodes that its text names. So all problems are told at once,
and no node is called unreachable only because the one before it has a problem.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from caravan.journeys import reachability
from caravan.journeys.documents.exits import Read as Exits
from caravan.journeys.nodes import Node
from caravan.journeys.reading import Fields

#: keys that name a node, wherever in a node they stand
LEADING = ("next", "otherwise", "failed")
#: nodes of a cycle that a message names
MOST_SHOWN = 8


def check_shape(
    fields: Fields,
    start: str | None,
    raw: Mapping[str, Any],
    read: Mapping[str, Node | None],
    exits: Exits | None,
) -> None:
    """Report nodes that no path leads to, and cycles that nothing slows down.

    Args:
        fields: the journey's.
        start: where it begins; None where that is not known.
        raw: its nodes as they are written.
        read: its nodes; None for those with something wrong.
        exits: its exits and their nodes; None where something is wrong with one.
    """
    nodes: dict[str, Node] = {name: node for name, node in read.items() if node is not None}
    leads = {
        name: reachability.leads_to(nodes[name]) if name in nodes else list(_named(raw[name]))
        for name in raw
    }
    # an account comes to an exit from wherever it is
    ways_out = list(_named(fields.raw.get("exits"))) if exits is None else []
    if exits is not None:
        nodes |= exits[1]
        ways_out = [to for node in exits[1].values() for to in reachability.leads_to(node)]
    # a name that does not exist is told already; what it was meant to lead to is not unreachable for that
    named = [target for targets in (*leads.values(), ways_out) for target in targets]
    astray = any(target not in raw for target in named)
    if start is not None and start in raw and not astray:
        for name in reachability.unreachable(leads, [start, *ways_out]):
            fields.report(
                "unreachable-node",
                ("nodes", name),
                f"no path leads to {name}: name it as a next:, or leave it out",
            )
    for cycle in reachability.restless_cycles(nodes):
        fields.report(
            "cycle-without-wait",
            ("nodes", cycle[0]),
            f"{_ring(cycle)} has no wait or listen that lasts: an account would spin in it",
        )


def _named(raw: Any) -> Iterator[str]:
    """What a node's text names as the nodes behind it."""
    todo = [raw]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            for key, value in one.items():
                if key in LEADING and isinstance(value, str):
                    yield value
                else:
                    todo.append(value)
        elif isinstance(one, list):
            todo += one


def _ring(cycle: list[str]) -> str:
    shown = cycle if len(cycle) <= MOST_SHOWN else [*cycle[: MOST_SHOWN - 1], "…"]
    return " → ".join([*shown, cycle[0]])
