"""``caravan why --mail MESSAGE-ID``: which journey, node, path and values led to a message."""

from typing import Annotated, Any

import typer

from caravan.engage import sql
from caravan.engage.plans import load_plan
from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.nodes import segment_actions
from caravan.journeys.plan import Plan
from caravan.journeys.retold import retold
from caravan.reports.account_steps import names_around, way_of
from caravan.reports.readable import readable
from caravan.reports.reason_words import in_words, reason
from starter.delivery import whole
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, cell, console, plural
from starter.session import Session, SubscriptionOption, run_with


def why(
    mail: Annotated[
        str,
        typer.Option(
            "--mail", help="The Message-ID, as the mail's header or `caravan mail` has it."
        ),
    ],
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Tell why somebody got a message: journey, version, node, path, and the values that decided each path.

    Also why one was put off, is in doubt or was not sent.
    """

    async def body(session: Session) -> None:
        pool = await session.engage()
        row = await sql.fetchrow(pool, "find_message", message_id=whole(mail))
        if row is None:
            raise UserError(
                f"No message {whole(mail)} in this subscription; `caravan mail --format json` lists their ids"
            )
        told = await _told(pool, row)
        if form is Format.json:
            print(as_json(told))
        else:
            _print(told)

    run_with(subscription, body)


async def _told(pool: Any, row: Any) -> dict[str, Any]:
    names = await names_around(pool, row["account_id"])
    traversals = await sql.fetch(pool, "traversals_of_account", account_id=row["account_id"])
    traversal = next(one for one in traversals if one["id"] == row["traversal_id"])
    way = (await way_of(pool, traversal, names))["steps"]
    action = _of_people(await load_plan(pool, row["plan_hash"]), row)
    led = _until(way, row)
    person = next(
        (
            step["people"][row["person"]]
            for step in led[-1:]
            if row["person"] in step.get("people", {})
        ),
        None,
    )
    resolutions = await sql.fetch(pool, "resolutions", message=row["number"])
    return {
        "message_id": row["message_id"],
        "state": row["state"],
        "reason": row["reason"],
        "reply": row["reply"],
        "queued": row["queued"],
        "tries": row["tries"],
        "until": row["until"],
        "claimed_at": row["claimed_at"],
        "settled_at": row["settled_at"],
        "person": row["person"],
        "action": row["action"],
        "address": row["address"],
        "account": row["account"],
        "account_name": row["account_name"],
        "journey": row["journey"],
        "version": row["version"],
        "entry": row["entry"],
        "node": row["node"],
        "visit": row["visit"],
        "path": row["path"],
        "because": person["because"] if person else {},
        "template": row["template"],
        "segments": row["segments"],
        "copy": row["copy"],
        "who": retold(action.who) if action and action.who else None,
        "top": action.top if action else None,
        "steps": [
            {
                key: step[key]
                for key in ("step", "at", "node", "kind", "told", "because")
                if key in step
            }
            for step in led
        ],
        "resolutions": [dict(one) for one in resolutions],
    }


def _of_people(plan: Plan, row: Any) -> PeopleAction | None:
    """The action it is of, where that chooses people."""
    node = plan.nodes.get(row["node"])
    for segment in segment_actions(node) if node is not None else []:
        for position, _, action in segment:
            if position == row["position"] and isinstance(action, PeopleAction):
                return action
    return None


def _until(way: list[dict[str, Any]], row: Any) -> list[dict[str, Any]]:
    """The steps up to the one that sent: the visit to the node that the message is of."""
    visits, led = 0, []
    for step in way:
        led.append(step)
        if step["node"] == row["node"] and "next" in step:
            visits += 1
            if visits == row["visit"]:
                break
    return led


def _recipient(told: dict[str, Any]) -> str:
    """The person and where it goes; an alert's address is nobody's of the account."""
    address = f"<{cell(told['address'])}>"
    return f"{cell(told['person'])} {address}" if told["person"] else address


def _what(told: dict[str, Any]) -> str:
    if told["template"]:
        return f"the e-mail [bold]{cell(told['template'])}[/bold]"
    of = f" of {plural(told['segments'], 'segment')}" if told["segments"] else ""
    return f"[bold]{told['action']}[/bold]{of}"


def _print(told: dict[str, Any]) -> None:
    copy = f", copy {told['copy']}" if told["copy"] else ""
    said = reason(told)
    lines = [
        f"[bold]{cell(told['message_id'])}[/bold]  {told['state']}"
        + (f": {cell(said)}" if said else ""),
        f"to {_recipient(told)} of {cell(told['account'])} {cell(told['account_name'])}",
        f"{_what(told)}{copy}, claimed {cell(told['claimed_at'])}"
        + (f", settled {cell(told['settled_at'])}" if told["settled_at"] else ""),
        f"by [bold]{told['journey']}[/bold] v{told['version']}, entry {told['entry']}, node [bold]{told['node']}[/bold]"
        + (f", path [bold]{cell(told['path'])}[/bold]" if told["path"] else "")
        + (f", visit {told['visit']}" if told["visit"] > 1 else ""),
    ]
    if told["queued"]:
        until = f", due {cell(told['until'])}" if told["until"] else ""
        tries = f", put off {told['tries']} times" if told["tries"] else ""
        lines.append(f"left to the delivery queue as {told['queued']}{tries}{until}")
    for one in told["resolutions"]:
        lines.append(f"{cell(one['who'])} said {one['said']} at {cell(one['resolved_at'])}")
    if told["who"]:
        lines.append(f"meant for: {cell(readable(told['who']))}")
    if told["top"]:
        lines.append(f"and of those the {told['top']} most engaged")
    lines += [f"  because {cell(phrase)}" for phrase in in_words(told["because"])]
    lines.append("\nthe way of the account to it:")
    for step in told["steps"]:
        lines.append(
            f"  {step['step']:>3} {cell(step['at'])} [bold]{step['node']}[/bold] · {cell(step['told'])}"
        )
        lines += [f"        because {cell(phrase)}" for phrase in in_words(step.get("because", {}))]
    for line in lines:
        console.print(line, highlight=False)
