"""``caravan subscriptions``: which subscription (munchkin) is paired with which sandbox."""

from caravan.platform.sandboxes import pairings
from starter.output import Format, FormatOption, show
from starter.session import open_stores, run

COLUMNS = ("subscription", "sandbox", "created_at")


def subscriptions(form: FormatOption = Format.table) -> None:
    """List the pairs; one subscription has one sandbox and the reverse."""

    async def body() -> None:
        async with open_stores() as (settings, _):
            rows = [
                {
                    "subscription": row["munchkin"],
                    "sandbox": row["sandbox"],
                    "created_at": row["created_at"],
                }
                for row in await pairings(settings.platform_dsn)
            ]
        show(rows, form, columns=COLUMNS, empty="no subscriptions; `caravan apply DIR` creates one")

    run(body())
