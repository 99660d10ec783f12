"""``caravan person show ID|EMAIL``: what was sent, what was skipped, and why."""

from typing import Annotated

import typer

from caravan.engage import sql
from starter.errors import UserError
from starter.group_rows import MEMBERSHIP_COLUMNS, for_people, membership_row
from starter.output import Format, FormatOption, as_json, cell, console, show
from starter.reasons import with_reason
from starter.session import Session, SubscriptionOption, run_with

app = typer.Typer(
    no_args_is_help=True, help="A person in detail: what was sent or done, what was not, and why."
)

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


@app.callback()
def _group() -> None:
    """A person in detail: what was sent or done, what was not, and why."""


@app.command("show")
def show_person(
    person: Annotated[str, typer.Argument(help="The person's id or e-mail address.")],
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Show a person: what journeys did to them, what was sent, skipped and why."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        found = await sql.fetchrow(pool, "find_person", key=person)
        if found is None:
            raise UserError(
                f"No person {person} in the engage store: people come in with their accounts "
                "(those without an e-mail address stay in the Platform)"
            )
        rows = await sql.fetch(pool, "effects_of_person", person_id=found["id"])
        effects = [dict(row) for row in rows]
        groups = [
            membership_row(row)
            for row in await sql.fetch(pool, "groups_of_person", person_id=found["id"])
        ]
        if form is Format.json:
            print(
                as_json(
                    {
                        "person": found["external_id"],
                        "attributes": found["attributes"],
                        "buying_groups": groups,
                        "effects": effects,
                    }
                )
            )
            return
        console.print(
            f"[bold]{cell(found['external_id'])}[/bold]  {cell(found['attributes'])}\n",
            highlight=False,
        )
        if groups:
            here = [for_people(group) for group in groups]
            show(here, form, title="Buying groups", columns=MEMBERSHIP_COLUMNS)
            console.print()
        told = [with_reason(effect) for effect in effects]
        show(told, form, columns=COLUMNS, empty="nothing was sent or done yet")

    run_with(subscription, body)
