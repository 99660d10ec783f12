"""The node ``variants: people``: people spread over paths of actions by their shares, and regroup.

Its actions are served like those of a people split; who is on which path is drawn when the account
arrives.
"""

from typing import Literal

from caravan.journeys.actions import Action
from caravan.journeys.actions.reading import read_actions
from caravan.journeys.control import ControlNode
from caravan.journeys.nodes import do
from caravan.journeys.nodes.base import NodeBase, read_max_visits, read_way_on, target
from caravan.journeys.nodes.paths import names
from caravan.journeys.nodes.segments import Placed, kinds, split_into_segments
from caravan.journeys.nodes.variants import (
    Method,
    Variant,
    read_method,
    read_variant,
    read_variants,
)
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope


class PeopleVariant(Variant):
    """Without actions it is a holdout: its people are counted and nothing happens to them."""

    actions: tuple[Action, ...] = ()


class VariantsPeople(NodeBase):
    kind: Literal["variants_people"] = "variants_people"
    method: Method = "hash"
    paths: tuple[PeopleVariant, ...]


def segments(node: VariantsPeople) -> list[list[Placed]]:
    """The actions of all its paths, path by path, by the activity that serves them.

    A quota is drawn in a segment of its own: its lock must not be held while actions take others.
    """
    placed = [
        (path, action)
        for path, variant in zip(names(node.paths), node.paths, strict=True)
        for action in variant.actions
    ]
    found = split_into_segments([(n, path, action) for n, (path, action) in enumerate(placed)])
    return [[], *found] if node.method == "quota" and found[0] else found


def control(node: VariantsPeople) -> ControlNode:
    """What the workflow knows of it: the account itself takes one edge."""
    return ControlNode(
        kind="variants_people",
        label=node.label or "",
        segments=kinds(segments(node)),
        edges={"next": target(node.next, node.end)},
    )


ask = do.ask


def read(fields: Fields, scope: JourneyScope) -> VariantsPeople | None:
    """From a document's mapping."""
    fields.given("variants")
    method = read_method(fields)
    paths = read_variants(fields, scope, _read_path)
    label, zone = fields.text("label", longest=NAME_LIMIT), fields.zone()
    to, end = read_way_on(fields, scope)
    max_visits = read_max_visits(fields, scope)
    if not fields.finish() or paths is None:
        return None
    return VariantsPeople(
        label=label,
        zone=zone,
        next=to,
        end=end,
        max_visits=max_visits,
        method=method,
        paths=paths,
    )


def _read_path(fields: Fields, scope: JourneyScope) -> PeopleVariant | None:
    label, share = read_variant(fields)
    actions = read_actions(fields, scope, optional=True, people_only=True)
    if fields.has("next"):
        fields.problem(
            "wrong-context", "next", "people regroup behind the variants: next goes on the node"
        )
    if not fields.finish() or share is None or actions is None:
        return None
    return PeopleVariant(label=label, share=share, actions=actions)
