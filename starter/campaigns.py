"""``caravan campaigns``: those anyone may request; a journey's own only when asked for by name."""

from typing import Annotated

import typer

from caravan.engage import sql
from starter.output import Format, FormatOption, show
from starter.session import Session, SubscriptionOption, known_journey, run_with


def campaigns(
    journey: Annotated[
        str | None, typer.Option("--journey", help="List this journey's hidden campaigns instead.")
    ] = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """List campaigns. Those a journey was converted to are hidden unless --journey names it."""

    async def body(session: Session) -> None:
        pool = await session.engage()
        if journey is not None:
            await known_journey(pool, journey)
        if journey is None:
            rows = await sql.fetch(pool, "ordinary_campaigns")
            listed = [
                {"campaign": row["name"], "actions": row["body"].get("actions")} for row in rows
            ]
        else:
            rows = await sql.fetch(pool, "campaigns_of_journey", slug=journey)
            listed = [
                {
                    "campaign": row["name"],
                    "journey": row["slug"],
                    "version": row["version"],
                    "nodes": row["body"].get("nodes"),
                    "actions": row["body"].get("actions"),
                }
                for row in rows
            ]
        show(
            listed, form, empty="no campaigns; those of a journey: caravan campaigns --journey SLUG"
        )

    run_with(subscription, body)
