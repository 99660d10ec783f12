"""What each path of a journey does, and what came of it in a simulation: also where nobody came."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from caravan.journeys.actions import Action
from caravan.journeys.actions.base import ABOUT
from caravan.journeys.nodes import segment_actions
from caravan.journeys.plan import Plan
from caravan.simulation.trace import TraceLine

_Key = tuple[str, str | None, str, str | None]


@dataclass
class Doing:
    """An action on one path of a node, and for how many what became of it."""

    node: str
    path: str | None  # of people who were split; None: of all who came
    action: Action
    about: str | None
    outcomes: Counter[str] = field(default_factory=Counter)


def doings(plan: Plan, lines: Sequence[TraceLine]) -> list[Doing]:
    """What a plan does on each path, in its order, with the outcomes of a trace."""
    found: dict[_Key, Doing] = {}
    for node, what in plan.nodes.items():
        for segment in segment_actions(what):
            for _, path, action in segment:
                about = _about(action.about)
                one = Doing(node, path, action, about)
                found.setdefault((node, path, action.kind, about), one)
    for line in lines:
        for path, effect in _effects(line.body):
            key = (line.body["node"], path, str(effect["action"]), _about(effect))
            if key in found:
                found[key].outcomes[_outcome(effect)] += 1
    return list(found.values())


def _about(told: Mapping[str, Any]) -> str | None:
    return next((str(told[key]) for key in ABOUT if told.get(key)), None)


def _effects(body: Mapping[str, Any]) -> Iterable[tuple[str | None, Mapping[str, Any]]]:
    taken = body.get("outcome")
    paths = taken if isinstance(taken, dict) else {}
    for effect in body.get("effects") or ():
        yield paths.get(effect.get("person")), effect


def _outcome(effect: Mapping[str, Any]) -> str:
    reason = effect.get("reason")
    return f"{effect['outcome']} ({reason})" if reason else str(effect["outcome"])
