"""``caravan audiences``: size, freshness, and what uses them."""

from dataclasses import asdict
from typing import Any

from caravan.campaigns.audience_listing import Listed, listing
from starter.output import Format, FormatOption, plural, show
from starter.session import Session, SubscriptionOption, run_with

COLUMNS = ("audience", "of", "members", "freshness", "evaluated_at", "used_by")


def audiences(form: FormatOption = Format.table, subscription: SubscriptionOption = None) -> None:
    """List audiences: how many members, how fresh that is, and what uses them.

    An audience that a live journey, a list, a job of buying groups or a condition of these uses is kept up
    to date, change by change. Of another the number is as old as its last evaluation; `caravan audience
    preview` counts it now.
    """

    async def body(session: Session) -> None:
        rows = [
            listed_row(one)
            for one in await listing(await session.engage(), await session.platform())
        ]
        show(rows, form, columns=COLUMNS, empty="no audiences; `caravan apply DIR` stores some")

    run_with(subscription, body)


def listed_row(listed: Listed) -> dict[str, Any]:
    """An audience as programs and tables have it."""
    return asdict(listed) | {"freshness": freshness(listed)}


def freshness(listed: Listed) -> str:
    """How far its members can be relied on, in words."""
    if listed.evaluated_at is None:
        return "never evaluated"
    if not listed.kept:
        return "as it was then: nothing keeps it"
    if listed.waiting:
        return f"{plural(listed.waiting, 'change')} behind"
    return "up to date"
