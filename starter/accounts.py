"""``caravan accounts --journey SLUG``: who is or was in a journey, and where."""

from typing import Annotated

import typer

from caravan.engage import sql
from caravan.journeys.conditions.parse import nearest
from starter.errors import UserError
from starter.output import MOST, Format, FormatOption, show
from starter.session import Session, SubscriptionOption, known_journey, plan_of, run_with

COLUMNS = (
    "account",
    "account_name",
    "journey",
    "version",
    "entry",
    "entered_at",
    "node",
    "until",
    "ended_at",
    "reason",
    "label",
)


def accounts(
    journey: Annotated[str, typer.Option("--journey", help="The journey's slug.")],
    node: Annotated[
        str | None, typer.Option("--node", help="Only accounts that stand at this node now.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=MOST, help="How many accounts at most.")
    ] = 1000,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """List a journey's accounts: position, next wake-up, or how they left.

    `caravan accounts --journey grid-nurture --node reply` lists those who stand there now.
    """

    async def body(session: Session) -> None:
        pool = await session.engage()
        versions = await known_journey(pool, journey)
        if node is not None:
            nodes = {name for one in versions for name in (await plan_of(pool, one)).nodes}
            if node not in nodes:
                raise UserError(
                    f"No node {node} in {journey}{nearest(node, nodes)}; "
                    f"`caravan journey show {journey}` lists them"
                )
        rows = await sql.fetch(pool, "traversals_at", slug=journey, node=node, limit=limit)
        listed = [
            {"account": row["external_id"], "account_name": row["name"], "journey": journey}
            | {name: row[name] for name in COLUMNS if name in row}
            for row in rows
        ]
        columns = [name for name in COLUMNS if name != "journey"]  # it was asked for
        show(listed, form, columns=columns, empty="no accounts there")

    run_with(subscription, body)
