"""The node ``variants: accounts``: accounts spread over paths by their shares."""

from typing import Literal

from caravan.journeys.control import ControlNode
from caravan.journeys.nodes.base import NodeBase, read_max_visits, read_way_on
from caravan.journeys.nodes.paths import labels, numbered_edges
from caravan.journeys.nodes.variants import (
    Method,
    Variant,
    read_method,
    read_variant,
    read_variants,
)
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope
from caravan.journeys.state import Command


class AccountVariant(Variant):
    """Without ``next`` it is a holdout: the journey ends there."""

    next: str | None = None
    end: str | None = None


class VariantsAccounts(NodeBase):
    kind: Literal["variants_accounts"] = "variants_accounts"
    method: Method = "hash"
    paths: tuple[AccountVariant, ...]


def control(node: VariantsAccounts) -> ControlNode:
    """What the workflow knows of it: numbered edges."""
    return ControlNode(
        kind="variants_accounts",
        label=node.label or "",
        edges=numbered_edges(node.paths),
        names=labels(node.paths),
    )


def ask(control: ControlNode, name: str, visit: int, segment: int) -> Command:
    """Choose a path; the stores know who the account is and how many went before."""
    return Command(kind="choose", node=name, visit=visit)


def read(fields: Fields, scope: JourneyScope) -> VariantsAccounts | None:
    """From a document's mapping."""
    fields.given("variants")
    method = read_method(fields)
    paths = read_variants(fields, scope, _read_path)
    label, zone = fields.text("label", longest=NAME_LIMIT), fields.zone()
    max_visits = read_max_visits(fields, scope)
    if not fields.finish() or paths is None:
        return None
    return VariantsAccounts(
        label=label, zone=zone, max_visits=max_visits, method=method, paths=paths
    )


def _read_path(fields: Fields, scope: JourneyScope) -> AccountVariant | None:
    label, share = read_variant(fields)
    to, end = read_way_on(fields, scope, "a path")
    if not fields.finish() or share is None:
        return None
    return AccountVariant(label=label, share=share, next=to, end=end)
