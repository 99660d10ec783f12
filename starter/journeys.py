"""``caravan journeys``: every version of every journey, with how many accounts are in it."""

from typing import Any

from caravan.engage import sql
from starter.output import Format, FormatOption, show
from starter.session import Session, SubscriptionOption, run_with

#: what the store alone works with
OF_THE_STORE = (
    "paused_at", "deleted_at", "id", "flow_at", "rules", "entry_limit", "segment_at",
    "leads_to", "lead_no", "renamed", "empties", "copies_hash",
)  # fmt: skip

COLUMNS = (
    "journey",
    "version",
    "state",
    "paused",
    "audience",
    "segment_accounts",
    "segment_people",
    "entered",
    "inside",
    "completed",
    "ends_at",
)


def version_row(row: Any) -> dict[str, Any]:
    """A version of a journey, without what only the store is concerned with."""
    return (
        {"journey": row["slug"]}
        | {name: value for name, value in dict(row).items() if name not in OF_THE_STORE}
        | {"paused": row["paused_at"] is not None}
    )


def journeys(form: FormatOption = Format.table, subscription: SubscriptionOption = None) -> None:
    """List journeys: versions, states, accounts inside and how many completed."""

    async def body(session: Session) -> None:
        rows = await sql.fetch(await session.engage(), "journeys", slug=None)
        listed = [version_row(row) for row in rows]
        show(listed, form, columns=COLUMNS, empty="no journeys; `caravan apply DIR` stores some")

    run_with(subscription, body)
