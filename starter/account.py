"""``caravan account show ID``: where an account stands, every step, and why each path was taken."""

import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.padding import Padding

from caravan.buying_groups.listing import Filters, groups
from caravan.campaigns.deciding import MOST_TRIES
from caravan.engage import sql
from caravan.engage.awaiting_entry import awaiting_entry
from caravan.journeys.moving import MIGRATE
from caravan.lookups.account_facts import account_facts
from caravan.platform import sql as platform_sql
from caravan.reports.account_steps import names_around, way_of
from caravan.reports.reason_words import in_words
from starter.deleting import say_deleted
from starter.group_rows import group_row, group_words
from starter.output import Format, FormatOption, as_json, cell, console
from starter.session import Session, SubscriptionOption, known_account, run_with
from starter.summary import SummaryOption, print_summary, summary_of

#: of the audiences it has left, the latest
MOST_LEFT = 10
#: how a model speaks of people
_PERSON = re.compile(r"\bperson \d+\b")

app = typer.Typer(no_args_is_help=True, help="Show, delete or restore an account.")


@app.callback()
def _group() -> None:
    """Show, delete or restore an account."""


@app.command("show")
def show_account(
    account_id: Annotated[str, typer.Argument(help="The account's id.")],
    summary: SummaryOption = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Show an account: its journeys, position, history of steps and the reasons."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        account = await known_account(pool, account_id)
        if summary:
            now = datetime.now(UTC)
            made = await summary_of(session, await account_facts(pool, account, now), now)
            made = {"account": account["external_id"]} | made
            print(as_json(made)) if form is Format.json else print_summary(made)
            return
        people = await sql.fetch(pool, "people_of_account", account_id=account["id"])
        names = await names_around(pool, account["id"])
        journeys = [
            await way_of(pool, row, names)
            for row in await sql.fetch(pool, "traversals_of_account", account_id=account["id"])
        ]
        entries = [
            {key: value for key, value in _entry(row).items() if value is not None}
            for row in await sql.fetch(pool, "entries_of_account", account_id=account["id"])
        ]
        platform = await session.platform()
        inside = await platform_sql.fetch(
            platform, "audiences_of_account", account_id=account["id"]
        )
        left = await platform_sql.fetch(
            platform, "departures_of_account", account_id=account["id"], limit=MOST_LEFT
        )
        waiting = await awaiting_entry(pool, account["id"], datetime.now(UTC))
        told = {
            "account": account["external_id"],
            "account_name": account["attributes"].get("name"),
            "attributes": account["attributes"],
            "deleted_at": account["deleted_at"],
            "people": sorted(row["external_id"] for row in people),
            "buying_groups": [
                group_row(row)
                async for row in groups(pool, Filters(account=account["external_id"]))
            ],
            "audiences": [
                {"audience": row["slug"], "qualified_at": row["qualified_at"]} for row in inside
            ],
            "left_audiences": [dict(row) for row in left],
            "entries": entries,
            "waiting": [asdict(one) for one in waiting],
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


def _print(told: dict[str, Any]) -> None:
    console.print(
        f"[bold]{cell(told['account'])}[/bold]  {cell(told['attributes'])}", highlight=False
    )
    if told["deleted_at"]:
        say_deleted(told["deleted_at"])
    console.print(f"people: {cell(told['people']) or 'none'}", highlight=False)
    for group in told["buying_groups"]:
        console.print(f"buying group {cell(group_words(group))}", highlight=False)
    for one in told["audiences"]:
        console.print(
            f"in the audience {one['audience']} since {cell(one['qualified_at'])}", highlight=False
        )
    for one in told["left_audiences"]:
        console.print(
            f"left the audience {one['audience']} {cell(one['left_at'])}, in it since "
            f"{cell(one['qualified_at'])}",
            highlight=False,
        )
    for entry in told["entries"]:
        if "refused" in entry:
            console.print(
                f"not let into [bold]{entry['journey']}[/bold] {cell(entry['refused_at'])}: "
                f"{cell(entry['refused'])}",
                highlight=False,
            )
    for one in told["waiting"]:
        console.print(
            f"waits to enter [bold]{one['journey']}[/bold] v{one['version']} since "
            f"{cell(one['queued_at'])}: {cell(one['why'])}",
            highlight=False,
        )
    if not told["journeys"]:
        console.print("in no journey yet")
    for journey in told["journeys"]:
        if journey["ended_at"] is not None:
            stands = f"ended {cell(journey['ended_at'])}: {_left(journey)}"
        else:
            stands = f"at [bold]{journey['node'] or 'the start'}[/bold]"
            stands += f", until {cell(journey['until'])}" if journey["until"] else ""
            if journey["held_at"]:
                stands += f", held since {cell(journey['held_at'])}: {cell(journey['held_why'])}"
        console.print(
            f"\n[bold]{journey['journey']}[/bold] v{journey['version']} · entry {journey['entry']} · {stands}",
            highlight=False,
        )
        for step in journey["steps"]:
            _print_step(step, journey)
        for call in journey["calls"]:
            _print_call(call)
        for decision in journey["decisions"]:
            _print_decision(decision)


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


def _print_decision(decision: dict[str, Any]) -> None:
    """What steps do not tell of a decision: that it is still to be made, and whom its reason speaks of."""
    if "edge" not in decision:
        why = f": {cell(decision['reason'])}" if "reason" in decision else ""
        console.print(
            f"      decision [bold]{decision['node']}[/bold] not made yet, asked {decision['tries']} of {MOST_TRIES} times{why}",
            style="dim",
            highlight=False,
        )
    spoken_of = set(_PERSON.findall(decision.get("reason", "")))
    people = {who: id for who, id in decision.get("people", {}).items() if who in spoken_of}
    if people:
        told = ", ".join(f"{who} is {id}" for who, id in people.items())
        console.print(f"      at {decision['node']} {cell(told)}", style="dim", highlight=False)


def _print_step(step: dict[str, Any], journey: dict[str, Any]) -> None:
    to = ""
    if "next" in step:
        to = f" → {step['next']}"
    elif "outcome" in step and step["command"] != MIGRATE:
        to = f" → out, {_left(journey)}"
    console.print(
        f"  {step['step']:>3} {cell(step['at'])} [bold]{step['node']}[/bold] "
        f"{step.get('kind', '')} · {cell(step['told'])}{to}",
        highlight=False,
    )
    details = []
    if "because" in step:
        details.append(f"because {cell('; '.join(in_words(step['because'])))}")
    for person, place in (step.get("people") or {}).items():
        because = cell("; ".join(in_words(place["because"])))
        details.append(
            f"{cell(person)} → {cell(place['path'])}" + (f": {because}" if because else "")
        )
    for effect in step.get("effects", []):
        # the message's id is for programs: --format json has it
        details.append(" ".join(cell(effect[key]) for key in effect if key != "message_id"))
    for detail in details:
        console.print(Padding(detail, (0, 0, 0, 6), expand=False), style="dim", highlight=False)


def _left(journey: dict[str, Any]) -> str:
    label = f" ({cell(journey['label'])})" if journey["label"] else ""
    return f"{journey['reason']}{label}"
