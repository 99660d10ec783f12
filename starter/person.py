"""``caravan person show ID|EMAIL``: what was sent, what was skipped, and why."""

from typing import Annotated, Any

import typer

from caravan.database.pool import Pool
from caravan.engage import sql
from caravan.journeys.suppressing import keys_of, phone_key
from caravan.platform import sql as platform_sql
from caravan.reports.reason_words import with_reason
from starter.deleting import say_deleted
from starter.group_rows import MEMBERSHIP_COLUMNS, for_people, membership_row
from starter.output import MOST, Format, FormatOption, as_json, cell, console, show
from starter.persona_told import persona_in_words, persona_told
from starter.session import Session, SubscriptionOption, known_person, run_with

app = typer.Typer(no_args_is_help=True, help="Show, export, delete, restore or erase a person.")

COLUMNS = (
    "claimed_at",
    "account",
    "journey",
    "version",
    "node",
    "path",
    "action",
    "template",
    "state",
    "reason",
)


ACCOUNT_COLUMNS = ("account", "account_name", "roles")
CONSENT_COLUMNS = ("at", "field", "old", "new", "source")
REPORT_COLUMNS = ("at", "kind", "status", "template", "journey", "told")
SUPPRESSION_COLUMNS = ("subject", "reason", "why", "source", "added_at")


@app.callback()
def _group() -> None:
    """Show, export, delete, restore or erase a person."""


@app.command("show")
def show_person(
    person: Annotated[str, typer.Argument(help="The person's id or e-mail address.")],
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Show a person: the accounts they belong to, what journeys did to them, what was sent, skipped and why."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        found = await known_person(pool, person)
        rows = await sql.fetch(pool, "effects_of_person", person_id=found["id"])
        effects = [dict(row) for row in rows]
        consents = [
            dict(row) for row in await sql.fetch(pool, "consents_of_person", person_id=found["id"])
        ]
        reports = [
            dict(row)
            for row in await sql.fetch(
                pool, "mail_reports", kind=None, person_id=found["id"], limit=MOST
            )
        ]
        suppressed = await _suppressed(pool, found["attributes"])
        accounts = [
            dict(row) for row in await sql.fetch(pool, "relations_of_person", person_id=found["id"])
        ]
        groups = [
            membership_row(row)
            for row in await sql.fetch(pool, "groups_of_person", person_id=found["id"])
        ]
        persona = persona_told(
            await platform_sql.fetchrow(
                await session.platform(), "persona_of_person", id=found["id"]
            )
        )
        if form is Format.json:
            print(
                as_json(
                    {
                        "person": found["external_id"],
                        "persona": persona,
                        "attributes": found["attributes"],
                        "deleted_at": found["deleted_at"],
                        "accounts": accounts,
                        "consents": consents,
                        "suppressions": suppressed,
                        "mail_reports": reports,
                        "buying_groups": groups,
                        "effects": effects,
                    }
                )
            )
            return
        console.print(
            f"[bold]{cell(found['external_id'])}[/bold]  {cell(found['attributes'])}",
            highlight=False,
        )
        if found["deleted_at"]:
            say_deleted(found["deleted_at"])
        if persona["persona"] is not None or persona["alternatives"]:
            console.print(persona_in_words(persona), markup=False, highlight=False)
        console.print()
        if accounts:
            show(accounts, form, title="Accounts", columns=ACCOUNT_COLUMNS)
            console.print()
        if groups:
            here = [for_people(group) for group in groups]
            show(here, form, title="Buying groups", columns=MEMBERSHIP_COLUMNS)
            console.print()
        if consents:
            show(consents, form, title="What was said about consent", columns=CONSENT_COLUMNS)
            console.print()
        if suppressed:
            show(suppressed, form, title="Suppressed", columns=SUPPRESSION_COLUMNS)
            console.print()
        if reports:
            show(reports, form, title="Bounces and complaints", columns=REPORT_COLUMNS)
            console.print()
        told = [with_reason(effect) for effect in effects]
        show(told, form, columns=COLUMNS, empty="nothing was sent or done yet")

    run_with(subscription, body)


async def _suppressed(pool: Pool, attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """What is suppressed of where this person can be reached."""
    subjects = keys_of(attributes["email"]) if attributes.get("email") else []
    number = phone_key(attributes.get("mobile_phone") or "")
    subjects += [number] if number else []
    return [dict(row) for row in await sql.fetch(pool, "suppressed_among", subjects=subjects)]
