"""``caravan audiences``: size, freshness, and which journeys use them."""

from caravan.engage import sql
from caravan.platform import sql as platform_sql
from starter.output import Format, FormatOption, show
from starter.session import Session, SubscriptionOption, run_with


def audiences(form: FormatOption = Format.table, subscription: SubscriptionOption = None) -> None:
    """List audiences: how many members, when last evaluated as a whole, used by which journeys."""

    async def body(session: Session) -> None:
        used: dict[str, list[str]] = {}
        for journey in await sql.fetch(await session.engage(), "running_journeys"):
            if not journey["of_list"]:
                used.setdefault(journey["audience"], []).append(journey["slug"])
        rows = [
            {
                "audience": row["slug"],
                "of": row["of"],
                "members": row["members"],
                "evaluated_at": row["evaluated_at"],
                "used_by": used.get(row["slug"]),
            }
            for row in await platform_sql.fetch(await session.platform(), "audiences")
        ]
        show(rows, form, empty="no audiences; `caravan apply DIR` stores some")

    run_with(subscription, body)
