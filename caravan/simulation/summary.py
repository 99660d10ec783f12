"""The summary: the counts that end a trace."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from caravan.simulation.instants import written
from caravan.simulation.run import Ran
from caravan.simulation.trace import TraceLine

#: lines that are no visit of a node
BORDERS = ("enter", "exit")


def summarise(ran: Ran, lines: Sequence[TraceLine]) -> dict[str, Any]:
    """The last line of a trace, counted from the others."""
    bodies = [line.body for line in lines]
    entries = sum(body["kind"] == "enter" for body in bodies)
    exits = Counter(body["reason"] for body in bodies if body["kind"] == "exit")
    arrivals: Counter[str] = Counter()
    paths: dict[str, Counter[str]] = {name: Counter() for name in ran.compiled.plan.nodes}
    for body in bodies:
        if body["kind"] not in BORDERS:
            arrivals[body["node"]] += 1
            paths[body["node"]].update(_taken(body.get("outcome")))
    inside = _inside(bodies)
    decided = Counter(body["by"] for body in bodies if "by" in body)
    return {
        "kind": "summary",
        "journey": ran.compiled.plan.journey,
        "version": ran.version,
        "at": written(ran.at),
        "until": written(ran.until),
        "accounts": len({body["account"] for body in bodies}),
        "entries": entries,
        "inside": entries - exits.total(),
        "exits": dict(sorted(exits.items())),
        **({"decisions": dict(sorted(decided.items()))} if decided else {}),
        "nodes": {
            name: {
                "arrivals": arrivals[name],
                "inside": inside[name],
                "paths": dict(sorted(paths[name].items())),
            }
            for name in ran.compiled.plan.nodes
        },
    }


def _taken(outcome: Any) -> Iterable[str]:
    """The labels a visit counts for: one of an account, one of each of its people."""
    if isinstance(outcome, dict):
        return [label for label in outcome.values() if label is not None]
    return [outcome] if outcome is not None else []


def _inside(bodies: Iterable[dict[str, Any]]) -> Counter[str]:
    """Where those are who have not left: at the node they came to last."""
    last: dict[tuple[str, int], str] = {}
    for body in bodies:
        key = (body["account"], body["entry"])
        if body["kind"] == "exit":
            last.pop(key, None)
        else:
            last[key] = body["node"]
    return Counter(last.values())
