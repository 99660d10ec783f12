"""What a new version of a journey changes: node by node, in the words of its document. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from caravan.journeys.moving import Renamed, in_words
from caravan.journeys.nodes import Node, segment_actions
from caravan.journeys.nodes.call import Call
from caravan.journeys.plan import Plan
from caravan.journeys.retold import retold

Change = Literal["added", "removed", "renamed", "changed", "unchanged"]

#: settings of a journey and of its workspace, as its plan has them
SETTINGS = (
    "name", "audience", "zone", "zone_of_account", "schedule", "start", "admit", "reentry",
    "deduplicate_email", "exits", "tokens", "sender", "postal_address", "catalog",
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """One key that says something else; None: it is absent there."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True)
class NodeChange:
    """What becomes of one node; ``node`` by the name it has now, for one that is removed the name it had."""

    node: str
    change: Change
    was: str | None = None  # the name it had, where that is another
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """All that differs between two plans; of nodes those that do not differ too."""

    settings: tuple[Difference, ...]
    nodes: tuple[NodeChange, ...]


def compare(old: Plan, new: Plan, renamed: Renamed) -> Comparison:
    """Compare two versions of a journey, nodes in the order of the new one, those that are gone last."""
    was = {renamed.get(name, name): name for name in old.nodes}
    # a name that a node has kept goes before one that a map gives to another
    was |= {name: name for name in old.nodes if renamed.get(name, name) == name}
    nodes = [_node_change(old, new, was.get(name), name, renamed) for name in new.nodes]
    gone = [name for name in old.nodes if renamed.get(name, name) not in new.nodes]
    nodes += [NodeChange(name, "removed") for name in gone]
    settings = [
        difference
        for key in SETTINGS
        for difference in _differences(key, _setting(old, key), _setting(new, key))
    ]
    return Comparison(tuple(settings), tuple(nodes))


def _node_change(old: Plan, new: Plan, was: str | None, name: str, renamed: Renamed) -> NodeChange:
    if was is None:
        return NodeChange(name, "added")
    before, now = _told(old, was, renamed), _told(new, name, {})
    found = tuple(_differences("", before, now))
    if found:
        return NodeChange(name, "changed", was if was != name else None, found)
    return NodeChange(name, "unchanged") if was == name else NodeChange(name, "renamed", was)


def _told(plan: Plan, name: str, renamed: Renamed) -> dict[str, Any]:
    """A node with all that it does: also the copy of its mails and the service it calls."""
    node = _with_names(plan.nodes[name], renamed)
    told: dict[str, Any] = {"type": in_words(node.kind), **retold(node)}
    copy = {
        action.template: retold(plan.templates[action.template])
        for segment in segment_actions(node)
        for _, _, action in segment
        if action.kind == "send_email"
    }
    if copy:
        told["e-mail"] = copy
    if isinstance(node, Call):
        told["its service"] = retold(plan.services[node.service])
    return told


def _with_names(node: Node, renamed: Renamed) -> Node:
    """The node with the new names of those it leads to: to lead to a renamed node is no change."""
    if not renamed:
        return node
    return type(node).model_validate(_renamed(node.model_dump(), renamed))


def _renamed(value: Any, renamed: Renamed) -> Any:
    if isinstance(value, Mapping):
        return {
            key: renamed.get(one, one)
            if key in ("next", "failed", "otherwise") and isinstance(one, str)
            else _renamed(one, renamed)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_renamed(one, renamed) for one in value]
    return value


def _setting(plan: Plan, key: str) -> Any:
    value = retold(getattr(plan, key))
    return value if value not in ({}, [], "", None) else None


def _differences(key: str, old: Any, new: Any) -> Iterator[Difference]:
    """The smallest parts that differ; paths of a node are told by their labels, lists by place from 1."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            inner = f"{key}.{name}" if key else str(name)
            yield from _differences(inner, old.get(name), new.get(name))
    elif isinstance(old, list) and isinstance(new, list) and _members(old) and _members(new):
        yield from _differences(key, _members(old), _members(new))
    elif key.endswith(".body") or ".fragments." in key:
        yield Difference(key, _size(old), _size(new))
    else:
        yield Difference(key, old, new)


def _members(values: list[Any]) -> dict[str, Any]:
    """A list of mappings by what tells its members apart; none where it is a list of plain values."""
    if not values or not all(isinstance(one, Mapping) for one in values):
        return {}
    labels = [
        str(one.get("label") or one.get("name") or number) for number, one in enumerate(values, 1)
    ]
    if len(set(labels)) < len(labels):
        labels = [str(number) for number, _ in enumerate(values, 1)]
    return dict(zip(labels, values, strict=True))


def _size(text: Any) -> str | None:
    return None if text is None else f"{len(text)} characters"
