"""``caravan mail``: the messages of the ledger (mail, texts, sales alerts), newest first, with what became of each."""

from enum import StrEnum
from typing import Annotated

import typer

from caravan.engage import sql
from caravan.reports.reason_words import with_reason
from starter.output import MOST, Format, FormatOption, show
from starter.session import Session, SubscriptionOption, known_journey, run_with

COLUMNS = (
    "claimed_at",
    "state",
    "reason",
    "action",
    "template",
    "address",
    "account_name",
    "journey",
    "node",
)


class MailState(StrEnum):
    """What may become of a message."""

    claimed = "claimed"
    handed_over = "handed_over"
    accepted = "accepted"
    refused = "refused"
    deferred = "deferred"
    in_doubt = "in_doubt"
    held = "held"
    skipped = "skipped"


def mail(
    state: Annotated[
        MailState | None, typer.Option("--state", help="Only messages in this state.")
    ] = None,
    journey: Annotated[
        str | None, typer.Option("--journey", help="Only messages of this journey, by its slug.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=MOST, help="How many messages at most.")
    ] = 50,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """List messages, texts and sales alerts too: to whom, from which journey and node, what became of each and why."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        if journey is not None:
            await known_journey(pool, journey)
        rows = await sql.fetch(pool, "messages", state=state, slug=journey, limit=limit)
        empty = "no mail yet" if state is None else f"no mail that is {state}"
        told = rows if form is Format.json else [with_reason(row) for row in rows]
        show(told, form, columns=COLUMNS, empty=empty)

    run_with(subscription, body)
