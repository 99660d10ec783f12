"""``caravan suppressions``: the addresses, domains and numbers that nothing is sent to, newest first."""

from enum import StrEnum
from typing import Annotated

import typer

from caravan.engage import sql
from starter.output import MOST, Format, FormatOption, show
from starter.session import Session, SubscriptionOption, run_with


class Reason(StrEnum):
    """Why something is suppressed."""

    hard_bounce = "hard_bounce"
    complaint = "complaint"
    opt_out = "opt_out"
    blocked = "blocked"


ReasonOption = Annotated[
    Reason | None,
    typer.Option(
        "--reason",
        help="hard_bounce: it does not exist; complaint: called unwanted; opt_out: asked not to be"
        " written to; blocked: by hand or by a list.",
    ),
]


def suppressions(
    reason: ReasonOption = None,
    removed: Annotated[
        bool, typer.Option("--removed", help="What was taken off the list again instead.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="How many at most.")] = 50,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """List what is suppressed, why and since when; a domain covers those beneath it.

    `caravan suppression export` writes all of it as CSV.
    """

    async def body(session: Session) -> None:
        query = "suppressions_removed" if removed else "suppressions"
        rows = await sql.fetch(await session.engage(), query, reason=reason, limit=limit)
        if removed:
            show(rows, form, empty="nothing was taken off the list")
            return
        empty = "nothing is suppressed" if reason is None else f"nothing is suppressed as {reason}"
        show(rows, form, empty=empty)

    run_with(subscription, body)
