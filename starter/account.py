"""``caravan account show ID``: where an account stands, every step, and why each path was taken."""

from typing import Annotated, Any

import typer
from rich.padding import Padding

from caravan.engage import sql
from caravan.engage.plans import load_plan
from caravan.journeys.moving import MIGRATE
from caravan.journeys.plan import Plan
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, cell, console
from starter.paths import path_name
from starter.reasons import reason
from starter.session import Session, SubscriptionOption, plan_of, run_with

#: ids as their team knows them, by kind of record and our own id
Names = dict[str, dict[int, str]]

app = typer.Typer(
    no_args_is_help=True, help="An account in detail: where it stands, every step, and why."
)


@app.callback()
def _group() -> None:
    """An account in detail: where it stands, every step, and why."""


@app.command("show")
def show_account(
    account_id: Annotated[str, typer.Argument(help="The account's id.")],
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Show an account: its journeys, position, history of steps and the reasons."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        account = await sql.fetchrow(pool, "find_account", key=account_id)
        if account is None:
            raise UserError(
                f"No account {account_id} in the engage store: it enters when a live journey's audience "
                "has it (accounts without a name stay in the Platform)"
            )
        people = await sql.fetch(pool, "people_of_account", account_id=account["id"])
        names = await _names(pool, account["id"])
        journeys = [
            await _journey(pool, row, names)
            for row in await sql.fetch(pool, "traversals_of_account", account_id=account["id"])
        ]
        entries = [
            {key: value for key, value in _entry(row).items() if value is not None}
            for row in await sql.fetch(pool, "entries_of_account", account_id=account["id"])
        ]
        told = {
            "account_id": account["external_id"],
            "attributes": account["attributes"],
            "people": [row["external_id"] for row in people],
            "entries": entries,
            "journeys": journeys,
        }
        if form is Format.json:
            print(as_json(told))
        else:
            _print(told)

    run_with(subscription, body)


def _entry(row: Any) -> dict[str, Any]:
    return {
        "journey": row["slug"],
        "entries": row["count"],
        "last_entered_at": row["last_entered_at"],
        "last_ended_at": row["last_ended_at"],
        "refused": row["refused"],
        "refused_at": row["refused_at"],
    }


async def _names(pool: Any, account_id: int) -> Names:
    """Everyone and everything that a reason of this account may name, also what is gone since."""
    people = await pool.fetch(
        "select id, external_id from people"
        " where id in (select person_id from relations where account_id = $1)",
        account_id,
    )
    opportunities = await pool.fetch(
        "select id, external_id from opportunities where account_id = $1", account_id
    )
    return {"person": dict(people), "opportunity": dict(opportunities)}


async def _journey(pool: Any, row: Any, names: Names) -> dict[str, Any]:
    history = await sql.fetch(pool, "history_of_traversal", traversal_id=row["id"])
    plans = await _plans(pool, row, history)
    participants: dict[tuple[str, int], dict[str, Any]] = {}
    for person in await sql.fetch(pool, "participants_of_traversal", traversal_id=row["id"]):
        if person["path"] is not None:
            place = participants.setdefault((person["node"], person["visit"]), {})
            because = _because(person["because"] or {}, names)
            place[person["external_id"]] = {"path": person["path"], "because": because}
    effects: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for effect in await sql.fetch(pool, "effects_of_traversal", traversal_id=row["id"]):
        told = {
            "action": effect["action"],
            "person": effect["external_id"],
            "outcome": effect["state"],
            "reason": effect["reason"],
            "reply": effect["reply"] if reason(effect) != effect["reason"] else None,
            "template": effect["template"],
            "copy": effect["copy"],
            "message_id": effect["message_id"],
        }
        effects.setdefault((effect["node"], effect["visit"]), []).append(
            {key: value for key, value in told.items() if value is not None}
        )
    steps = []
    for step, plan in zip(history, plans, strict=True):
        outcome, arrival = step["outcome"], (step["node"], step["visit"])
        told_step = {
            "step": step["step_no"],
            "at": outcome.get("at"),
            "node": step["node"],
            "kind": step["kind"],
            "outcome": _outcome(plan, step),
            "until": outcome.get("until"),
            "counts": outcome.get("counts") or None,
            "because": _because(step["because"] or {}, names) or None,
        }
        if outcome.get("edge") is not None:
            told_step["people"] = participants.get(arrival)
            told_step["effects"] = effects.get(arrival)
        steps.append({key: value for key, value in told_step.items() if value is not None})
    calls = [
        {key: value for key, value in dict(call).items() if value is not None}
        for call in await sql.fetch(pool, "calls_of_traversal", traversal_id=row["id"])
    ]
    state = row["state"]
    return {
        "journey": row["slug"],
        "version": row["version"],
        "entry": row["entry"],
        "entered_at": row["entered_at"],
        "node": state.get("position"),
        "until": (state.get("pending") or {}).get("until"),
        "held_at": row["held_at"],
        "ended_at": row["ended_at"],
        "reason": row["reason"],
        "label": row["label"],
        "workflow_id": row["workflow_id"],
        "steps": steps,
        "calls": calls,
    }


async def _plans(pool: Any, row: Any, history: list[Any]) -> list[Plan]:
    """The plan that each step was decided by: before a move to another version the one it left."""
    plan, plans = await plan_of(pool, row), []
    for step in reversed(history):
        if step["kind"] == MIGRATE:
            plan = await load_plan(pool, step["outcome"]["left"])
        plans.append(plan)
    return plans[::-1]


def _outcome(plan: Plan, step: Any) -> str | None:
    outcome = step["outcome"]
    if step["kind"] == MIGRATE:
        was = outcome.get("node") or step["node"]
        renamed = f", was {was}" if was != step["node"] else ""
        return f"moved to v{outcome['version']}{renamed}"
    edge = outcome.get("edge")
    return None if edge is None else path_name(plan.nodes.get(step["node"]), edge)


def _because(values: dict[str, Any], names: Names) -> dict[str, Any]:
    """What decided, with people and opportunities by the ids that their team knows."""
    return {
        # person(job_title starts with Chief): one who fits; person: whose event was heard
        key: names.get(key.partition("(")[0], {}).get(value, value)
        if isinstance(value, int)
        else value
        for key, value in values.items()
    }


def _print(told: dict[str, Any]) -> None:
    console.print(
        f"[bold]{cell(told['account_id'])}[/bold]  {cell(told['attributes'])}", highlight=False
    )
    console.print(f"people: {cell(told['people']) or 'none'}", highlight=False)
    for entry in told["entries"]:
        if "refused" in entry:
            console.print(
                f"not let into [bold]{entry['journey']}[/bold] {cell(entry['refused_at'])}: "
                f"{cell(entry['refused'])}",
                highlight=False,
            )
    if not told["journeys"]:
        console.print("in no journey yet")
    for journey in told["journeys"]:
        if journey["ended_at"] is not None:
            stands = f"ended {cell(journey['ended_at'])}: {journey['reason']}"
            stands += f" ({cell(journey['label'])})" if journey["label"] else ""
        else:
            stands = f"at [bold]{journey['node'] or 'the start'}[/bold]"
            stands += f", until {cell(journey['until'])}" if journey["until"] else ""
            stands += f", held since {cell(journey['held_at'])}" if journey["held_at"] else ""
        console.print(
            f"\n[bold]{journey['journey']}[/bold] v{journey['version']} · entry {journey['entry']} · {stands}",
            highlight=False,
        )
        for step in journey["steps"]:
            _print_step(step)
        for call in journey["calls"]:
            _print_call(call)


def _print_call(call: dict[str, Any]) -> None:
    """A request to a service: what became of it, and why it has not been made yet or has failed."""
    about = f" about {cell(call['person'])}" if "person" in call else ""
    late = f", a late answer came {cell(call['late_at'])}" if "late_at" in call else ""
    why = f": {cell(call['reply'])}" if "reply" in call else ""
    console.print(
        f"      call [bold]{call['node']}[/bold] of {call['service']}{about} "
        f"{call['state']} after {call['tries']} tries{late}{why}",
        style="dim",
        highlight=False,
    )


def _print_step(step: dict[str, Any]) -> None:
    outcome = step.get("outcome") or (f"until {cell(step['until'])}" if "until" in step else "")
    counts = f"  {cell(step['counts'])}" if "counts" in step else ""
    console.print(
        f"  {step['step']:>3} {cell(step['at'])} [bold]{step['node']}[/bold] {step['kind']} "
        f"{outcome if outcome.startswith('until') else cell(outcome)}{counts}",
        highlight=False,
    )
    details = []
    if "because" in step:
        details.append(f"because {cell(step['because'])}")
    for person, place in (step.get("people") or {}).items():
        because = cell(place["because"])
        details.append(
            f"{cell(person)} → {cell(place['path'])}" + (f": {because}" if because else "")
        )
    for effect in step.get("effects", []):
        # the message's id is for programs: --format json has it
        details.append(" ".join(cell(effect[key]) for key in effect if key != "message_id"))
    for detail in details:
        console.print(Padding(detail, (0, 0, 0, 6), expand=False), style="dim", highlight=False)
