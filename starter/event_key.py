"""``caravan event key new|list|revoke``: who may send events in by the gateway."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from caravan.engage import event_keys
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, plainly, say, show
from starter.session import Session, SubscriptionOption, run_with

app = typer.Typer(
    no_args_is_help=True,
    help="Keys by which other systems send events in: one a system, revoked by name.",
)
#: where the keys were before: scripts go on
events = typer.Typer(no_args_is_help=True, help="Events that other systems send in.")
events.add_typer(app, name="key")

NameArgument = Annotated[
    str, typer.Argument(help="What the key is for, for example the system that will have it.")
]


@events.callback()
def _events() -> None:
    """Events that other systems send in."""


@app.callback()
def _group() -> None:
    """Keys by which other systems send events in, at `POST /events` of the gateway."""


@app.command("new")
def new(
    name: NameArgument,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Make a key and print it. It is shown this once: only a digest of it is kept.

    The system sends `Authorization: Bearer KEY` and a JSON list of events, as lines of `events.jsonl`
    are: `{"id", "at", "type", "person_id"?, "account_id"?, …fields}`.
    """
    if not 0 < len(name.strip()) <= 100:
        raise UserError("A key's name has 1 to 100 characters")

    async def body(session: Session) -> None:
        try:
            made = await event_keys.new_key(
                await session.engage(), session.munchkin, name.strip(), datetime.now(UTC)
            )
        except event_keys.KeyNameTaken as error:
            raise UserError(str(error)) from None
        if form is Format.json:
            plainly(as_json({"name": name.strip(), "key": made}))
            return
        say("This key is shown once. Whoever has it may send events:")
        plainly(made)

    run_with(subscription, body)


@app.command("list")
def list_keys(form: FormatOption = Format.table, subscription: SubscriptionOption = None) -> None:
    """List the keys, the oldest first; what they are nobody knows but who has them."""

    async def body(session: Session) -> None:
        rows = [vars(one) for one in await event_keys.keys(await session.engage())]
        show(rows, form, empty="no keys; `caravan event key new NAME` makes one")

    run_with(subscription, body)


@app.command("revoke")
def revoke(name: NameArgument, subscription: SubscriptionOption = None) -> None:
    """Revoke a key: what comes with it from now on is refused."""

    async def body(session: Session) -> None:
        if not await event_keys.revoke(await session.engage(), name, datetime.now(UTC)):
            raise UserError(f"No valid key {name}; `caravan event key list` lists them")
        say(f"The key {name} is revoked")

    run_with(subscription, body)
