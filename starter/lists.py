"""``caravan lists``: account lists and people lists, how many are in them, and who is still to come."""

from caravan.engage import sql
from starter.output import Format, FormatOption, show
from starter.session import Session, SubscriptionOption, run_with


def lists(form: FormatOption = Format.table, subscription: SubscriptionOption = None) -> None:
    """List account lists and people lists.

    `absent` are those a document names who are not in the engage store: accounts come in with the
    journeys that take them, people with their accounts.
    """

    async def body(session: Session) -> None:
        rows = [
            {
                "list": row["slug"],
                "of": row["of"],
                "type": "dynamic" if row["dynamic"] else "static",
                "members": row["members"],
                "absent": row["absent"],
                "evaluated_at": row["evaluated_at"],
            }
            for row in await sql.fetch(await session.engage(), "lists")
        ]
        show(rows, form, empty="no lists; `caravan apply DIR` stores some")

    run_with(subscription, body)
