"""``caravan delivery resolve``: a person's word on a message in doubt."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from caravan.campaigns.plans import PlanCache
from caravan.campaigns.resolving import NotInDoubt, Said
from caravan.campaigns.resolving import resolve as settle_by_word
from starter.errors import Failed, UserError
from starter.halt import operator
from starter.output import Format, FormatOption, as_json, plainly
from starter.session import Session, SubscriptionOption, run_with

app = typer.Typer(no_args_is_help=True, help="Settle a message in doubt.")

BECAME = {
    Said.sent: "accepted",
    Said.not_sent: "refused: it is not sent again",
    Said.resend: "to be sent again by the delivery queue, with the same Message-ID, if its checks allow it",
}


@app.callback()
def _group() -> None:
    """Settle a message in doubt."""


@app.command("resolve")
def resolve(
    message_id: Annotated[
        str, typer.Argument(help="Its Message-ID, as `caravan deliveries --in-doubt` lists it.")
    ],
    sent: Annotated[
        bool, typer.Option("--sent", help="It was delivered: the relay's log has it.")
    ] = False,
    not_sent: Annotated[
        bool, typer.Option("--not-sent", help="It was not: the relay's log lacks it.")
    ] = False,
    resend: Annotated[
        bool, typer.Option("--resend", help="With --not-sent: send it after all.")
    ] = False,
    who: Annotated[
        str | None, typer.Option("--who", help="Who says so; else the user who is logged in.")
    ] = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Say what became of a message in doubt; it is kept who said so, and when.

    The ledger knows that the relay may have it and no more. Look into the relay's log for its Message-ID, or ask the
    provider: only then say that it was not sent, for one that is sent again may reach the person twice.
    """
    if sent == not_sent or (resend and not not_sent):
        raise UserError("say one of --sent, --not-sent, or --not-sent --resend")
    said = Said.sent if sent else Said.resend if resend else Said.not_sent
    named = whole(message_id)

    async def body(session: Session) -> None:
        at = datetime.now(UTC)
        try:
            settled = await settle_by_word(
                await session.engage(), PlanCache(), named, said, who or operator(), at
            )
        except NotInDoubt as error:
            if error.state is None:
                raise UserError(
                    f"No message {named}; `caravan deliveries --in-doubt` lists those in doubt"
                ) from None
            raise Failed(
                f"{named} is {error.state}, not in doubt: there is nothing to resolve"
            ) from None
        if form is Format.json:
            print(
                as_json(
                    {
                        "message_id": settled.message_id,
                        "state": settled.state,
                        "said": said.value,
                        "who": who or operator(),
                        "resolved_at": at,
                    }
                )
            )
        else:
            plainly(f"{named}: {BECAME[said]}")

    run_with(subscription, body)


def whole(message_id: str) -> str:
    """A Message-ID with its angle brackets, which a shell does not like."""
    return f"<{message_id.strip().removeprefix('<').removesuffix('>')}>"
