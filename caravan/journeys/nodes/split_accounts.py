"""The node ``split: accounts``: the first path, from the top, whose condition the account meets."""

from typing import Literal

from caravan.journeys.control import ControlNode, Target
from caravan.journeys.nodes.base import NodeBase, read_max_visits, read_way_on
from caravan.journeys.nodes.paths import OTHERWISE, Path, labels, numbered_edges, read_paths
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope
from caravan.journeys.reasons import ExitReason
from caravan.journeys.state import Command


class AccountPath(Path):
    next: str | None = None
    end: str | None = None


class SplitAccounts(NodeBase):
    """``otherwise`` None: the journey ends for an account that matches no path."""

    kind: Literal["split_accounts"] = "split_accounts"
    paths: tuple[AccountPath, ...]
    otherwise: str | None = None


def control(node: SplitAccounts) -> ControlNode:
    """What the workflow knows of it: numbered edges."""
    edges = numbered_edges(node.paths)
    edges[OTHERWISE] = (
        Target(node=node.otherwise)
        if node.otherwise is not None
        else Target(reason=ExitReason.NO_PATH)
    )
    return ControlNode(
        kind="split_accounts", label=node.label or "", edges=edges, names=labels(node.paths)
    )


def ask(control: ControlNode, name: str, visit: int, segment: int) -> Command:
    """Choose a path."""
    return Command(kind="choose", node=name, visit=visit)


def read(fields: Fields, scope: JourneyScope) -> SplitAccounts | None:
    """From a document's mapping."""
    fields.given("split")
    paths = read_paths(fields, scope, _read_path)
    label, zone = fields.text("label", longest=NAME_LIMIT), fields.zone()
    otherwise = fields.node("otherwise", scope.conditions)
    max_visits = read_max_visits(fields, scope)
    if not fields.finish() or paths is None:
        return None
    return SplitAccounts(
        label=label, zone=zone, max_visits=max_visits, paths=paths, otherwise=otherwise
    )


def _read_path(fields: Fields, scope: JourneyScope) -> AccountPath | None:
    label = fields.text("label", longest=NAME_LIMIT)
    fields.required("when")
    when = fields.condition("when", "account", scope.conditions)
    to, end = read_way_on(fields, scope, "a path")
    if not fields.finish() or when is None:
        return None
    return AccountPath(label=label, when=when, next=to, end=end)
