"""``caravan buying-group show GROUP``: its roles, members, scores, and the way through its stages."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from caravan.buying_groups import report
from caravan.buying_groups.completeness import shown
from caravan.engage import sql
from caravan.lookups.group_facts import group_facts
from starter.group_names import GroupArgument, known_group
from starter.group_rows import group_row, role_row, rounded, velocity
from starter.output import Format, FormatOption, as_json, cell, console, plural, show
from starter.session import Session, SubscriptionOption, run_with
from starter.spans import span
from starter.summary import SummaryOption, print_summary, summary_of


def show_group(
    group: GroupArgument,
    removed: Annotated[
        bool, typer.Option("--removed", help="Also those who were removed, and when.")
    ] = False,
    summary: SummaryOption = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Show a group: its members and who put them there, roles filled of needed, stages and how fast.

    `source` is who last had a say about a person: `manual` (you, by `assign` and `remove`), `journey` or
    `job`; nobody undoes what somebody before them in this order did. `caravan buying-group explain GROUP`
    tells what makes the engagement.
    """

    async def body(session: Session) -> None:
        if summary:
            pool, now = await session.engage(), datetime.now(UTC)
            row = await known_group(pool, group)
            made = await summary_of(session, await group_facts(pool, row, now), now)
            made = {"group": row["id"]} | made
            print(as_json(made)) if form is Format.json else print_summary(made)
            return
        told = await _told(await session.engage(), group, removed)
        if form is Format.json:
            print(as_json(told))
        else:
            _print(told)

    run_with(subscription, body)


async def _told(pool: Any, key: str, removed: bool) -> dict[str, Any]:
    row = await known_group(pool, key)
    roles = await sql.fetch(pool, "buying_group_roles", group_id=row["id"])
    members = await sql.fetch(
        pool, "buying_group_members_shown", group_id=row["id"], removed=removed
    )
    history = await sql.fetch(pool, "buying_group_history_shown", group_id=row["id"])
    return group_row(row) | {
        "roles": [
            role_row(
                one["role"], one["weight"], one["required"], one["members_required"], one["people"]
            )
            for one in roles
        ],
        "member_list": [_member(member) for member in members],
        "velocity": velocity(await report.velocity(pool, row["id"], datetime.now(UTC))),
        "history": [
            {
                "at": one["at"],
                "what": one["what"],
                "from": one["old"],
                "to": one["new"],
                "source": one["source"],
                "until": one["until"],
            }
            for one in history
        ],
    }


def _member(member: Any) -> dict[str, Any]:
    attributes = member["attributes"]
    name = " ".join(filter(None, (attributes.get("first_name"), attributes.get("last_name"))))
    return {
        "person": member["person"],
        "name": name or None,
        "role": member["role"],
        "source": member["source"],
        "job_title": attributes.get("job_title"),
        "email": attributes.get("email"),
        "phone": attributes.get("phone"),
        "score": member["score"],
        "added_at": member["added_at"],
        "removed_at": member["removed_at"],
    }


def _print(told: dict[str, Any]) -> None:
    whole = rounded(told)
    now = datetime.now(UTC)
    console.print(
        f"[bold]{cell(told['solution_interest'])} for {cell(told['account_name'] or told['account'])}[/bold]"
        f"  group {told['group']}, {cell(told['account'])}/{cell(told['solution_interest'])}",
        highlight=False,
    )
    since = f" for {span(now - told['stage_at'])}" if told["stage_at"] else ""
    facts = [
        f"stage [bold]{cell(told['stage'])}[/bold]{since}" if told["stage"] else "no stage yet",
        f"status {cell(told['status'])}" if told["status"] else None,
        f"completeness [bold]{whole['completeness']}[/bold]",
        f"engagement [bold]{whole['engagement']}[/bold]",
        f"qualified since {cell(told['qualified_at'])}"
        if told["qualified_at"]
        else "not qualified",
    ]
    console.print(" · ".join(filter(None, facts)), highlight=False)
    model = (
        f"stage model {told['stage_model']} v{told['stage_model_version']}"
        if told["stage_model"]
        else "no stage model"
    )
    kept = f"last upkeep {cell(told['kept_at'])}" if told["kept_at"] else "not looked at yet"
    console.print(
        f"roles template {told['roles_template']} v{told['roles_template_version']} · {model} · {kept}\n",
        style="dim",
        highlight=False,
    )
    show([_role(role) for role in told["roles"]], Format.table, title="Roles")
    console.print()
    members = [one | {"score": shown(one["score"])} for one in told["member_list"]]
    show(members, Format.table, title="Members", columns=MEMBERS, empty="nobody")
    console.print()
    show(
        [_change(one, now) for one in told["history"]],
        Format.table,
        title="Stages and statuses",
        empty="none yet",
    )
    moved = told["velocity"]
    if moved["moves"]:
        each = span(timedelta(seconds=moved["seconds_per_move"]))
        console.print(f"{plural(moved['moves'], 'move')}, {each} each on average", highlight=False)


MEMBERS = ("person", "name", "role", "source", "job_title", "score", "removed_at")


def _role(role: dict[str, Any]) -> dict[str, Any]:
    needs = f"{min(role['people'], role['members_required'])} of {role['members_required']}"
    return {
        "role": role["role"],
        "people": role["people"],
        "filled": needs if role["required"] else "not required",
        "weight": role["weight"],
    }


def _change(one: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "at": one["at"],
        "what": one["what"],
        "from": one["from"],
        "to": one["to"],
        "by": one["source"],
        "lasted": span((one["until"] or now) - one["at"]) + ("" if one["until"] else " so far"),
    }
