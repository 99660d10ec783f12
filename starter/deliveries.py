"""``caravan deliveries``: the messages that have not simply gone: in doubt, held, put off, refused, under way."""

from typing import Annotated

import typer

from caravan.engage import sql
from caravan.reports.reason_words import with_reason
from starter.output import MOST, Format, FormatOption, plainly, show
from starter.session import Session, SubscriptionOption, known_journey, run_with

COLUMNS = (
    "message_id", "state", "reason", "until", "tries", "address", "account_name", "journey", "node", "claimed_at", "said", "who",
)  # fmt: skip

HINT = "`caravan delivery resolve MESSAGE-ID --sent|--not-sent` says what became of one in doubt"


def deliveries(
    in_doubt: Annotated[
        bool,
        typer.Option(
            "--in-doubt", help="The relay may have them or not; never sent again by themselves."
        ),
    ] = False,
    held: Annotated[
        bool, typer.Option("--held", help="Kept for an hour that suits the person.")
    ] = False,
    deferred: Annotated[
        bool, typer.Option("--deferred", help="Put off by the relay; tried again at `until`.")
    ] = False,
    refused: Annotated[bool, typer.Option("--refused", help="Not taken, for good.")] = False,
    under_way: Annotated[
        bool, typer.Option("--under-way", help="Claimed or being handed over just now.")
    ] = False,
    journey: Annotated[
        str | None, typer.Option("--journey", help="Only messages of this journey, by its slug.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=MOST, help="How many messages at most.")
    ] = 50,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """List messages that were neither accepted nor left out, the longest untouched first.

    Without an option all of them. `caravan mail` lists every message, newest first.
    """
    asked = {
        "in_doubt": in_doubt,
        "held": held,
        "deferred": deferred,
        "refused": refused,
        "claimed": under_way,
        "handed_over": under_way,
    }
    states = [state for state, wanted in asked.items() if wanted] or list(asked)

    async def body(session: Session) -> None:
        pool = await session.engage()
        if journey is not None:
            await known_journey(pool, journey)
        rows = [
            dict(row)
            for row in await sql.fetch(pool, "deliveries", states=states, slug=journey, limit=limit)
        ]
        told = rows if form is Format.json else [with_reason(row) for row in rows]
        show(told, form, columns=COLUMNS, empty="no such messages")
        if form is Format.table and any(row["state"] == "in_doubt" for row in rows):
            plainly(f"\n{HINT}")

    run_with(subscription, body)
