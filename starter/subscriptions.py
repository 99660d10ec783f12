"""``caravan subscriptions``: which subscription (munchkin) is paired with which sandbox."""

from typing import Any

from caravan.engage import subscriptions as engage_subscriptions
from caravan.platform import sandboxes
from starter.output import Format, FormatOption, show
from starter.session import open_stores, run

COLUMNS = ("subscription", "sandbox", "state", "created_at")


def subscriptions(form: FormatOption = Format.table) -> None:
    """List the pairs, and what belongs to none; one subscription has one sandbox and the reverse.

    State: `paired`, `half paired` (an interrupted `pair` or `unpair`: give it again), `unpaired`.
    """

    async def body() -> list[dict[str, Any]]:
        async with open_stores() as (settings, _):
            pairs = await sandboxes.pairings(settings.platform_dsn, unfinished=True)
            taken = {row["munchkin"] for row in pairs}
            alone = await engage_subscriptions.unpaired(settings.engage_dsn)
            without = await sandboxes.unpaired(settings.platform_dsn)
        return [
            *(
                _row(
                    row["munchkin"],
                    row["sandbox"],
                    "paired" if row["ready"] else "half paired",
                    row["created_at"],
                )
                for row in pairs
            ),
            *(_row(munchkin, None, "unpaired") for munchkin in alone if munchkin not in taken),
            *(_row(None, sandbox, "unpaired") for sandbox in without),
        ]

    show(
        run(body()),
        form,
        columns=COLUMNS,
        empty="no subscriptions; `caravan apply DIR` creates one",
    )


def _row(
    subscription: str | None, sandbox: str | None, state: str, created_at: Any = None
) -> dict[str, Any]:
    return {
        "subscription": subscription,
        "sandbox": sandbox,
        "state": state,
        "created_at": created_at,
    }
