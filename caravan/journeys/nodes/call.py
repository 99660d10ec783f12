"""The node ``call``: an outside service is asked, and its answer chooses the path.

An account takes a path; people regroup behind theirs, whose actions are served like those of a ``do``.
"""

from typing import Literal

from pydantic import Field

from caravan.journeys.actions import Action
from caravan.journeys.actions.liquid_text import check_liquid
from caravan.journeys.actions.reading import read_actions
from caravan.journeys.conditions.model import Test
from caravan.journeys.conditions.reading_tests import parse_free_tests
from caravan.journeys.conditions.scope import nearest
from caravan.journeys.control import ControlNode, Segment, Target
from caravan.journeys.durations import Duration, Span
from caravan.journeys.liquid import has_liquid
from caravan.journeys.nodes.base import NodeBase, read_max_visits, read_way_on, target
from caravan.journeys.nodes.paths import (
    OTHERWISE,
    Labelled,
    labels,
    names,
    numbered_edges,
    read_paths,
)
from caravan.journeys.nodes.segments import Placed, kinds, split_into_segments
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope
from caravan.journeys.reasons import ExitReason
from caravan.journeys.service import Of, Scalar
from caravan.journeys.state import Command
from caravan.journeys.written import as_written, storable

#: a service may take four hours (the External Actions contract)
MOST_MINUTES = 240
#: how long it has where neither the node nor its definition says
USUAL_MINUTES = 60
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600}
#: of whom the service is told
OF: dict[str, Of] = {
    "account": "account",
    "people": "people",
    "account_people": "account_people",
}


class CallPath(Labelled):
    """Taken where the accessors of the answer pass every test; ``actions`` are those of people."""

    when: dict[str, Test]
    next: str | None = None
    end: str | None = None
    actions: tuple[Action, ...] = ()


class Call(NodeBase):
    """``failed`` None: the journey ends where the service fails or does not answer in time."""

    kind: Literal["call"] = "call"
    service: str
    of: Of = "account"
    values: dict[str, Scalar] = Field(default_factory=dict)
    paths: tuple[CallPath, ...] = ()
    timeout: Duration | None = None
    failed: str | None = None

    @property
    def of_people(self) -> bool:
        """Whether its paths are those of people."""
        return self.of != "account"


def segments(node: Call) -> list[list[Placed]]:
    """The asking itself, which performs no action, then those of the people's paths."""
    flat = [
        (name, action)
        for name, path in zip(names(node.paths), node.paths, strict=True)
        for action in path.actions
    ]
    placed: list[Placed] = [(n, path, action) for n, (path, action) in enumerate(flat)]
    return [[], *(segment for segment in split_into_segments(placed) if segment)]


def control(node: Call) -> ControlNode:
    """What the workflow knows of it."""
    lost = Target(node=node.failed) if node.failed is not None else Target(reason=ExitReason.FAILED)
    on = target(node.next, node.end)
    if node.of_people:
        edges = {"next": on}
    else:
        edges = numbered_edges(node.paths)
        edges[OTHERWISE] = on
    edges |= {"timeout": lost, "failed": lost}
    return ControlNode(
        kind="call",
        label=node.label or "",
        segments=(Segment.CALL, *kinds(segments(node))[1:]),
        edges=edges,
        names={} if node.of_people else labels(node.paths),
    )


def ask(control: ControlNode, name: str, visit: int, segment: int) -> Command:
    """Ask the service; behind its answer, serve the actions of the people's paths."""
    by: dict[Segment, Literal["call", "send", "store"]] = {
        Segment.CALL: "call",
        Segment.SEND: "send",
        Segment.STORE: "store",
    }
    kind = by[control.segments[segment]]
    return Command(kind=kind, node=name, visit=visit, segment=segment)


def read(fields: Fields, scope: JourneyScope) -> Call | None:
    """From a document's mapping."""
    service = fields.text("call")
    if service is not None and service not in scope.services:
        remedy = nearest(service, scope.services)
        fields.problem("unknown-service", "call", f"no service {service}{remedy}")
    of = OF.get(fields.choice("of", tuple(OF)) or "account")
    values = _read_values(fields, scope)
    paths: tuple[CallPath, ...] | None = ()
    if fields.has("paths"):
        paths = read_paths(
            fields, scope, _read_account_path if of == "account" else _read_people_path
        )
    timeout = _read_timeout(fields)
    label, zone = fields.text("label", longest=NAME_LIMIT), fields.zone()
    to, end = read_way_on(fields, scope)
    failed = fields.node("failed", scope.conditions)
    max_visits = read_max_visits(fields, scope)
    if not fields.finish() or service is None or of is None or paths is None:
        return None
    return Call(
        label=label,
        zone=zone,
        next=to,
        end=end,
        max_visits=max_visits,
        service=service,
        of=of,
        values=values,
        paths=paths,
        timeout=timeout,
        failed=failed,
    )


def seconds(span: Span) -> int:
    """How long a time-out is."""
    return span.count * _SECONDS[span.unit]


def _read_timeout(fields: Fields) -> Span | None:
    span = fields.duration("timeout")
    if span is None:
        return None
    most = fields.limits.call_minutes
    if span.unit not in _SECONDS or seconds(span) > most * 60:
        fields.problem(
            "bad-value",
            "timeout",
            f"a call takes at most {most} minutes {fields.limits.over('call_minutes')}",
        )
        return None
    return span


def _read_values(fields: Fields, scope: JourneyScope) -> dict[str, Scalar]:
    """What the service is told at this node: plain values, texts with Liquid."""
    values: dict[str, Scalar] = {}
    inner = fields.inner("with")
    for name in inner.raw:
        value = inner.given(name)
        if not isinstance(value, bool | int | float | str) or not storable(as_written(value)):
            inner.problem("bad-value", name, f"{name} takes a text, a number, true or false")
            continue
        if isinstance(value, str) and has_liquid(value):
            check_liquid(inner, name, value, scope, "account")
        values[name] = value
    fields.fine = inner.finish() and fields.fine
    return values


def _read_account_path(fields: Fields, scope: JourneyScope) -> CallPath | None:
    label, when = _read_head(fields)
    to, end = read_way_on(fields, scope, "a path")
    if fields.has("do"):
        fields.problem("wrong-context", "do", "paths of a call of account lead on: next, not do")
    if not fields.finish() or when is None:
        return None
    return CallPath(label=label, when=when, next=to, end=end)


def _read_people_path(fields: Fields, scope: JourneyScope) -> CallPath | None:
    label, when = _read_head(fields)
    actions = read_actions(fields, scope, optional=True, people_only=True)
    if fields.has("next"):
        fields.problem(
            "wrong-context", "next", "people regroup behind the call: next goes on the node"
        )
    if not fields.finish() or when is None or actions is None:
        return None
    return CallPath(label=label, when=when, actions=actions)


def _read_head(fields: Fields) -> tuple[str | None, dict[str, Test] | None]:
    label = fields.text("label", longest=NAME_LIMIT)
    fields.required("when")
    when = fields.given("when", "tests")
    tests = None
    if when is not None:
        tests = parse_free_tests(when, (*fields.path, "when"), fields.report)
        fields.fine = fields.fine and tests is not None
    return label, tests
