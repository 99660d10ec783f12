"""``caravan subscription create|list``: subscriptions of the engage database; the pairing verbs join them."""

from collections.abc import Callable
from typing import Annotated

import typer

from caravan.engage import subscriptions as engage_subscriptions
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, plainly
from starter.session import open_stores, run
from starter.subscriptions import subscriptions

app = typer.Typer(
    no_args_is_help=True, help="Subscriptions: create one, pair it with a sandbox, or list them."
)
app.command("list")(subscriptions)

MunchkinArgument = Annotated[
    str,
    typer.Argument(
        metavar="MUNCHKIN",
        help="The subscription's name: letters, digits, dashes; 123-ABC-456, say.",
    ),
]


@app.command("create")
def create(munchkin: MunchkinArgument, form: FormatOption = Format.table) -> None:
    """Create an empty subscription, or bring one up to date. It belongs to nobody until it is paired.

    `caravan subscription pair SANDBOX --subscription MUNCHKIN` pairs it.
    """
    check_name(engage_subscriptions.schema_of, munchkin)

    async def body() -> list[str]:
        async with open_stores() as (settings, _):
            return await engage_subscriptions.create(settings.engage_dsn, munchkin)

    applied = run(body())
    if form is Format.json:
        print(as_json({"subscription": munchkin, "migrations": applied}))
    elif "core" in applied:
        plainly(
            f"{munchkin} is created; `caravan subscription pair SANDBOX --subscription {munchkin}`"
        )
    else:
        plainly(f"{munchkin} is there already" + (", and up to date now" if applied else ""))


def check_name(schema_of: Callable[[str], str], name: str) -> None:
    """Refuse what no schema can be named after."""
    try:
        schema_of(name)
    except ValueError as error:
        raise UserError(str(error)) from None
