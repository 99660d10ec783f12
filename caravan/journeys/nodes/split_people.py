"""The node ``split: people``: people take paths of actions and regroup behind it.

Its actions are served like those of a ``do``; who is on which path is fixed when the account arrives.
"""

from typing import Literal

from caravan.journeys.actions import Action
from caravan.journeys.actions.reading import read_actions
from caravan.journeys.control import ControlNode
from caravan.journeys.nodes import do
from caravan.journeys.nodes.base import NodeBase, read_max_visits, read_way_on, target
from caravan.journeys.nodes.paths import OTHERWISE, Path, names, read_paths
from caravan.journeys.nodes.segments import Placed, kinds, split_into_segments
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope


class PeoplePath(Path):
    actions: tuple[Action, ...] = ()


class SplitPeople(NodeBase):
    """``otherwise`` None: people who match no path skip on."""

    kind: Literal["split_people"] = "split_people"
    paths: tuple[PeoplePath, ...]
    otherwise: tuple[Action, ...] | None = None


def segments(node: SplitPeople) -> list[list[Placed]]:
    """The actions of all its paths, path by path, by the activity that serves them."""
    by_path = [*zip(names(node.paths), (path.actions for path in node.paths), strict=True)]
    by_path.append((OTHERWISE, node.otherwise or ()))
    flat = [(path, action) for path, actions in by_path for action in actions]
    return split_into_segments([(n, path, action) for n, (path, action) in enumerate(flat)])


def control(node: SplitPeople) -> ControlNode:
    """What the workflow knows of it: the account itself takes one edge."""
    return ControlNode(
        kind="split_people",
        label=node.label or "",
        segments=kinds(segments(node)),
        edges={"next": target(node.next, node.end)},
    )


ask = do.ask


def read(fields: Fields, scope: JourneyScope) -> SplitPeople | None:
    """From a document's mapping."""
    fields.given("split")
    paths = read_paths(fields, scope, _read_path)
    otherwise = None
    raw_otherwise = fields.given("otherwise")
    if raw_otherwise is not None:
        inner = fields.within(raw_otherwise, "otherwise")
        otherwise = read_actions(inner, scope, people_only=True)
        if not inner.finish() or otherwise is None:
            fields.fine = False
    label, zone = fields.text("label", longest=NAME_LIMIT), fields.zone()
    to, end = read_way_on(fields, scope)
    max_visits = read_max_visits(fields, scope)
    if not fields.finish() or paths is None:
        return None
    return SplitPeople(
        label=label,
        zone=zone,
        next=to,
        end=end,
        max_visits=max_visits,
        paths=paths,
        otherwise=otherwise,
    )


def _read_path(fields: Fields, scope: JourneyScope) -> PeoplePath | None:
    label = fields.text("label", longest=NAME_LIMIT)
    fields.required("when")
    when = fields.condition("when", "person", scope.conditions)
    actions = read_actions(fields, scope, optional=True, people_only=True)
    if fields.has("next"):
        fields.problem(
            "wrong-context", "next", "people regroup behind the split: next goes on the node"
        )
    if not fields.finish() or when is None or actions is None:
        return None
    return PeoplePath(label=label, when=when, actions=actions)
