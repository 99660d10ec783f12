"""The node ``decide: accounts``: a model picks the path, by what the prompt of each says it is for.

Where it has not – it is too unsure, fails, is switched off, or too little is known – the account takes ``otherwise``.
"""

from typing import Literal

from caravan.journeys.control import ControlNode, Target
from caravan.journeys.liquid import has_liquid
from caravan.journeys.nodes.base import NodeBase, read_max_visits, read_way_on
from caravan.journeys.nodes.paths import OTHERWISE, Labelled, labels, numbered_edges, read_paths
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope
from caravan.journeys.state import Command

#: how sure the model must be where the node does not say
USUAL_CONFIDENCE = 0.6
#: characters of a path's prompt
LONGEST_PROMPT = 1_000


class DecidePath(Labelled):
    """``prompt``: for which accounts it is, in words for the model."""

    prompt: str
    next: str | None = None
    end: str | None = None


class Decide(NodeBase):
    """``confidence``: below it the model's word does not count."""

    kind: Literal["decide_accounts"] = "decide_accounts"
    paths: tuple[DecidePath, ...]
    confidence: float = USUAL_CONFIDENCE
    otherwise: str


def control(node: Decide) -> ControlNode:
    """What the workflow knows of it: numbered edges, without the prompts."""
    edges = numbered_edges(node.paths)
    edges[OTHERWISE] = Target(node=node.otherwise)
    return ControlNode(
        kind="decide_accounts", label=node.label or "", edges=edges, names=labels(node.paths)
    )


def ask(control: ControlNode, name: str, visit: int, segment: int) -> Command:
    """Have the model decide; that leaves the system."""
    return Command(kind="decide", node=name, visit=visit)


def read(fields: Fields, scope: JourneyScope) -> Decide | None:
    """From a document's mapping."""
    fields.given("decide")
    paths = read_paths(fields, scope, _read_path)
    label, zone = fields.text("label", longest=NAME_LIMIT), fields.zone()
    confidence = fields.fraction("confidence", USUAL_CONFIDENCE)
    fields.required("otherwise")
    otherwise = fields.node("otherwise", scope.conditions)
    max_visits = read_max_visits(fields, scope)
    if not fields.finish() or paths is None or otherwise is None:
        return None
    return Decide(
        label=label,
        zone=zone,
        max_visits=max_visits,
        paths=paths,
        confidence=confidence,
        otherwise=otherwise,
    )


def _read_path(fields: Fields, scope: JourneyScope) -> DecidePath | None:
    label = fields.text("label", longest=NAME_LIMIT)
    fields.required("prompt")
    prompt = fields.text("prompt", longest=LONGEST_PROMPT)
    if prompt is not None and not prompt.strip():
        fields.problem("bad-value", "prompt", "prompt says in words for which accounts the path is")
    elif prompt is not None and has_liquid(prompt):
        fields.problem(
            "bad-value",
            "prompt",
            "a prompt takes no Liquid: the model is told facts of the account, without names",
        )
    to, end = read_way_on(fields, scope, "a path")
    if not fields.finish() or prompt is None:
        return None
    return DecidePath(label=label, prompt=prompt, next=to, end=end)
