"""The trace: what each account did, line by line as language.md has it, read from what a run stored."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.journeys.control import ControlNode, ControlPlan
from caravan.journeys.nodes import abouts
from caravan.journeys.nodes.paths import OTHERWISE
from caravan.journeys.plan import Plan, control_plan
from caravan.journeys.reasons import ExitReason
from caravan.simulation.instants import written
from caravan.simulation.run import Ran
from caravan.simulation.throw_away import Pair
from caravan.simulation.visits import Visit, Walked, walked

#: what the trace calls the states of the ledger; what it does not name is called by its own name
OUTCOMES = {"accepted": "sent"}
#: kinds of nodes whose line says when the account leaves
RESTS = ("wait", "listen", "call", "decide")


@dataclass(frozen=True)
class TraceLine:
    """One line: ``at`` and ``account`` give its place, ``body`` is what is printed.

    ``edge`` is the one a visit was left by: which of several paths that lead to the same node.
    """

    at: datetime
    account: str
    body: dict[str, Any]
    edge: str | None = None


async def read_trace(pair: Pair, ran: Ran) -> list[TraceLine]:
    """All lines but the summary, by instant, then account, then as they happened."""
    return sorted(await read_lines(pair, ran), key=lambda line: (line.at, line.account))


async def read_lines(pair: Pair, ran: Ran) -> list[TraceLine]:
    """The same lines, traversal by traversal as they happened."""
    plan = _Plan.of(ran.compiled.plan)
    lines: list[TraceLine] = []
    async with pair.engage.acquire() as conn:
        async for one in walked(conn, ran.journey_id, plan.control.start):
            lines += _lines(plan, one)
    return lines


@dataclass(frozen=True)
class _Plan:
    """What the trace asks of a plan."""

    control: ControlPlan
    abouts: dict[str, dict[int, dict[str, str]]]  # of actions, by node and position

    @classmethod
    def of(cls, plan: Plan) -> "_Plan":
        return cls(control_plan(plan), {name: abouts(node) for name, node in plan.nodes.items()})


def _lines(plan: _Plan, one: Walked) -> Iterator[TraceLine]:
    row, control = one.row, plan.control

    def line(
        at: datetime, node: str, kind: str, further: dict[str, Any], edge: str | None = None
    ) -> TraceLine:
        head = {"at": written(at), "account": row["account"], "entry": row["entry"]}
        return TraceLine(at, row["account"], {**head, "node": node, "kind": kind, **further}, edge)

    yield line(row["entered_at"], control.start, "enter", {})
    for visit in one.visits:
        node = control.nodes[visit.node]
        kind = kind_of(node)
        further = _further(kind, node, visit, one)
        if "effects" in further:
            known = plan.abouts[visit.node]
            further["effects"] = _effects(visit.effects, known)
        yield line(visit.arrived_at, visit.node, kind, further, visit.edge)
    if row["ended_at"] is not None:
        label = {} if row["label"] is None else {"label": row["label"]}
        left_from = _left_from(control, one)
        yield line(row["ended_at"], left_from, "exit", {"reason": row["reason"], **label})


def _left_from(control: ControlPlan, one: Walked) -> str:
    """The node an account left from.

    An exit that does something is none: it came from one. Nor is the node it had been at too often,
    which the core names: it has not arrived there again.
    """
    node: str = one.row["left_from"] or one.row["position"] or control.start
    seen = [visit.node for visit in one.visits]
    if seen and (one.row["visits"] or {}).get(node, 0) <= seen.count(node):
        node = seen[-1]
    if control.nodes[node].kind != "exit":
        return node
    before = [visit.node for visit in one.visits if control.nodes[visit.node].kind != "exit"]
    return before[-1] if before else control.start


def kind_of(node: ControlNode) -> str:
    """What the trace calls a node's kind: splits and variants of accounts and of people are one."""
    kind = node.kind.partition("_")[0]
    return "do" if kind == "exit" else kind  # what an exit has done on the way out


def _further(kind: str, node: ControlNode, visit: Visit, one: Walked) -> dict[str, Any]:
    inside = one.is_inside(visit)
    further: dict[str, Any] = {}
    acts = bool(node.segments) and (kind != "call" or regroups(node))
    if acts and kind != "do":  # its people take paths, and regroup behind it
        further["outcome"] = None if inside else dict(visit.paths)
    elif kind not in ("do", "wait"):
        cut_off = not inside and visit.edge is None and one.row["reason"] == ExitReason.END_DATE
        further["outcome"] = "timeout" if cut_off and kind in RESTS else label_of(kind, node, visit)
    elif inside:
        further["outcome"] = None
    if acts:
        further["effects"] = visit.effects
    if kind in RESTS:
        left_at = visit.left_at or (one.row["until"] if inside else one.row["ended_at"])
        further["until"] = written(left_at) if left_at is not None else None
    if visit.decided_by is not None:
        further["by"] = visit.decided_by
    if visit.fault is not None:
        further["fault"] = visit.fault
    if further.get("outcome") == "heard":
        further["event"] = visit.event
        if visit.person is not None:
            further["person"] = visit.person
    return further


def regroups(node: ControlNode) -> bool:
    """Whether a call is of people, who regroup behind it; an account leaves by a path of its own."""
    return "next" in node.edges


def label_of(kind: str, node: ControlNode, visit: Visit) -> str | None:
    """What became of a visit: None where it has not ended by an edge of its own, or no path led on."""
    edge = visit.edge
    if edge is None or edge not in node.edges:
        return None
    if kind == "listen":
        return "timeout" if edge == "timeout" else "heard"
    if edge == OTHERWISE and node.edges[edge].reason == ExitReason.NO_PATH:
        return None
    return node.names.get(edge, edge)


def _effects(rows: Iterable[Any], known: dict[int, dict[str, str]]) -> list[dict[str, Any]]:
    """What was done, action by action; what goes to several addresses is one effect on the account."""
    effects: list[dict[str, Any]] = []
    before = None
    for row in rows:
        effect = _effect(row, known.get(row["position"], {}))
        told = "person" not in effect and before == row["position"] and effect == effects[-1]
        if not told:
            effects.append(effect)
        before = row["position"]
    return effects


def _effect(row: Any, about: dict[str, str]) -> dict[str, Any]:
    effect = {"action": row["action"], **about}
    if row["person"] is not None:
        effect["person"] = row["person"]
    effect["outcome"] = OUTCOMES.get(row["state"], row["state"])
    if row["reason"] is not None:
        effect["reason"] = row["reason"]
    return effect
