"""An account's way through a journey, as rows: its steps, what decided them, whom they did what to."""

from typing import Any

from caravan.engage import halting, sql
from caravan.engage.plans import load_plan
from caravan.journeys.moving import MIGRATE
from caravan.journeys.nodes import abouts
from caravan.journeys.nodes.paths import OTHERWISE
from caravan.journeys.plan import Plan
from caravan.reports.node_words import happened, kind_of, path_name
from caravan.reports.reason_words import paused_in_words, reason

#: ids as their team knows them, by kind of record and our own id
Names = dict[str, dict[int, str]]
#: the kind of the step that a decision of a model is
DECIDE = "decide"
#: a node and which of the account's visits to it
Arrival = tuple[str, int]


async def names_around(pool: Any, account_id: int) -> Names:
    """Everyone and everything that a reason of this account may name, also what is gone since."""
    people = await sql.fetch(pool, "ids_of_people_ever_of_account", account_id=account_id)
    opportunities = await sql.fetch(pool, "ids_of_opportunities_of_account", account_id=account_id)
    return {"person": dict(people), "opportunity": dict(opportunities)}


async def way_of(pool: Any, row: Any, names: Names) -> dict[str, Any]:
    """A traversal with all its steps."""
    state, decisions = row["state"], await decisions_of(pool, row["id"])
    said = {(one["node"], one["visit"]): one for one in decisions}
    return {
        "journey": row["slug"],
        "version": row["version"],
        "entry": row["entry"],
        "entered_at": row["entered_at"],
        "node": state.get("position"),
        "until": (state.get("pending") or {}).get("until"),
        "held_at": row["held_at"],
        "held_for": row["held_for"],
        "held_why": await _held_why(pool, row),
        "ended_at": row["ended_at"],
        "reason": row["reason"],
        "label": row["label"],
        "workflow_id": row["workflow_id"],
        "steps": await _steps(pool, row, names, said),
        "calls": [
            _present(dict(call))
            for call in await sql.fetch(pool, "calls_of_traversal", traversal_id=row["id"])
        ],
        "decisions": [
            _present({key: value for key, value in one.items() if key != "id"}) for one in decisions
        ],
    }


async def decisions_of(pool: Any, traversal_id: int) -> list[dict[str, Any]]:
    """What a model was asked on the way, and what came of it."""
    return [
        dict(one)
        for one in await sql.fetch(pool, "decisions_of_traversal", traversal_id=traversal_id)
    ]


async def _held_why(pool: Any, row: Any) -> str | None:
    """In words, why an account stands still; None where it does not."""
    if row["held_at"] is None:
        return None
    halt = await halting.halted(pool)
    if row["held_for"] == "halted" and halt is not None:
        return f"sending is {halt.in_words}"
    return paused_in_words(row) or "it is about to go on"


async def _steps(
    pool: Any, row: Any, names: Names, said: dict[Arrival, dict[str, Any]]
) -> list[dict[str, Any]]:
    history = await sql.fetch(pool, "history_of_traversal", traversal_id=row["id"])
    plans = await _plans(pool, row, history)
    people = await _people(pool, row["id"], names)
    effects = await _effects(pool, row["id"])
    followed = [step["node"] for step in history[1:]] + [row["state"].get("position")]
    steps = []
    for step, plan, next_node in zip(
        history, plans, followed, strict=False
    ):  # who has just entered has no steps
        told = _moved(step) if step["kind"] == MIGRATE else _step(plan, step, names)
        if step["kind"] == DECIDE:
            told |= _said(said.get((step["node"], step["visit"])), told)
        if step["outcome"].get("edge") is not None:
            arrival = (step["node"], step["visit"])
            told |= {
                "next": next_node,
                "people": people.get(arrival),
                "effects": _told_effects(plan, step["node"], effects.get(arrival, [])) or None,
            }
        steps.append(_present(told))
    return steps


async def _plans(pool: Any, row: Any, history: list[Any]) -> list[Plan]:
    """The plan that each step was decided by: before a move to another version the one it left."""
    plan, plans = await load_plan(pool, row["plan_hash"]), []
    for step in reversed(history):
        if step["kind"] == MIGRATE:
            plan = await load_plan(pool, step["outcome"]["left"])
        plans.append(plan)
    return plans[::-1]


def _moved(step: Any) -> dict[str, Any]:
    """The step of a move to another version of the journey."""
    outcome = step["outcome"]
    was = outcome.get("node") or step["node"]
    renamed = f", was {was}" if was != step["node"] else ""
    return {
        "step": step["step_no"],
        "at": outcome["at"],
        "node": step["node"],
        "kind": MIGRATE,
        "command": step["kind"],
        "told": f"moved to v{outcome['version']}{renamed}",
        "outcome": f"v{outcome['version']}",
    }


def _step(plan: Plan, step: Any, names: Names) -> dict[str, Any]:
    outcome, node = step["outcome"], plan.nodes.get(step["node"])
    edge, until = outcome.get("edge"), outcome.get("until")
    seen = {
        "node": step["node"],
        "command": step["kind"],
        "segment": outcome["command"].get("segment", 0),
        "edge": edge,
        "until": until,
        "counts": outcome.get("counts"),
    }
    return {
        "step": step["step_no"],
        "at": outcome.get("at"),
        "node": step["node"],
        "kind": kind_of(node) if node is not None else None,
        "command": step["kind"],
        "told": happened(plan, seen),
        "outcome": None if edge is None else path_name(node, edge),
        "until": until,
        "counts": outcome.get("counts") or None,
        "because": _because(step["because"] or {}, names) or None,
    }


def _said(decision: dict[str, Any] | None, told: dict[str, Any]) -> dict[str, Any]:
    """What a model said at a node, beside what its step has kept."""
    if decision is None:
        return {}
    keys = ("path", "model", "reason") if decision["edge"] == OTHERWISE else ("model", "reason")
    said = {key: decision[key] for key in keys if decision[key] is not None}
    return {"because": {**(told["because"] or {}), **said} or None}


async def _people(pool: Any, traversal_id: int, names: Names) -> dict[Arrival, dict[str, Any]]:
    """The path of each person, by arrival."""
    people: dict[Arrival, dict[str, Any]] = {}
    for row in await sql.fetch(pool, "participants_of_traversal", traversal_id=traversal_id):
        if row["path"] is not None:
            because = _because(row["because"] or {}, names)
            place = people.setdefault((row["node"], row["visit"]), {})
            place[row["external_id"]] = {"path": row["path"], "because": because}
    return people


async def _effects(pool: Any, traversal_id: int) -> dict[Arrival, list[Any]]:
    """The rows of what was done, sent or skipped, by arrival."""
    effects: dict[Arrival, list[Any]] = {}
    for row in await sql.fetch(pool, "effects_of_traversal", traversal_id=traversal_id):
        effects.setdefault((row["node"], row["visit"]), []).append(row)
    return effects


def _told_effects(plan: Plan, name: str, rows: list[Any]) -> list[dict[str, Any]]:
    """What was done, sent or skipped at a node, with what each action of it is about."""
    node = plan.nodes.get(name)
    known = abouts(node) if node is not None else {}
    return [
        _present(
            {
                "action": row["action"],
                "person": row["external_id"],
                "state": row["state"],
                "reason": row["reason"],
                "reply": row["reply"] if reason(row) != row["reason"] else None,
                **known.get(row["position"], {}),
                "copy": row["copy"],
                "message_id": row["message_id"],
            }
        )
        for row in rows
    ]


def _because(values: dict[str, Any], names: Names) -> dict[str, Any]:
    """What decided, with people and opportunities by the ids that their team knows."""
    return {
        # person(job_title starts with Chief): one who fits; person: whose event was heard
        key: names.get(key.partition("(")[0], {}).get(value, value)
        if isinstance(value, int)
        else value
        for key, value in values.items()
    }


def _present(row: dict[str, Any]) -> dict[str, Any]:
    """Without what there is nothing to say of."""
    return {key: value for key, value in row.items() if value is not None}
