"""``caravan journeys``: every version of every journey, with how many accounts are in it."""

from typing import Any

from caravan.engage import sql
from starter.output import Format, FormatOption, show
from starter.session import Session, SubscriptionOption, run_with

COLUMNS = (
    "journey",
    "version",
    "state",
    "paused",
    "paused_why",
    "audience",
    "segment_accounts",
    "segment_people",
    "entered",
    "inside",
    "completed",
    "ends_at",
)


#: what a version's row and its counts say, by the same names
TOLD = (
    "version",
    "state",
    "audience",
    "of_list",
    "published_at",
    "starts_at",
    "ends_at",
    "deadline",
    "segment_accounts",
    "segment_people",
    "entered",
    "inside",
    "completed",
)


def version_row(row: Any) -> dict[str, Any]:
    """A version of a journey, without what only the store is concerned with."""
    told = {name: row[name] for name in TOLD}
    return {
        "journey": row["slug"],
        "journey_name": row["name"],
        "paused": row["paused_at"] is not None,
        "paused_by": row["paused_by"],
        "paused_why": row["paused_why"],
        "plan": row["plan_hash"][:12],
    } | told


def journeys(form: FormatOption = Format.table, subscription: SubscriptionOption = None) -> None:
    """List journeys: versions, states, accounts inside and how many completed."""

    async def body(session: Session) -> None:
        rows = await sql.fetch(await session.engage(), "journeys", slug=None)
        listed = [version_row(row) for row in rows]
        show(listed, form, columns=COLUMNS, empty="no journeys; `caravan apply DIR` stores some")

    run_with(subscription, body)
