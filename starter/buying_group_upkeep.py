"""``caravan buying-group upkeep``: the daily run over all groups, now."""

from typing import Annotated

import typer

from activities.connection import connect
from activities.upkeep_schedule import run_now
from starter.output import Format, FormatOption, as_json
from starter.session import Session, SubscriptionOption, run_with


def upkeep(
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when everybody has been looked at.")
    ] = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Look at all buying groups now, as the schedule does every day.

    Changes to people, relations and audiences are followed within seconds anyway; this is for what time alone
    changes: the scale of engagement, and roles that ask how long ago something was. How far it is shows in the
    Temporal Web UI. A run that is under way comes to its end first.
    """

    async def body(session: Session) -> None:
        client = await connect(session.settings)
        run = await run_now(client, session.munchkin, session.settings.buying_group_upkeep)
        accounts = (await run.result()).rows if wait else None
        if form is Format.json:
            print(as_json({"workflow": run.id, "accounts": accounts}))
        elif accounts is None:
            print(f"The upkeep has begun: workflow {run.id}")
        else:
            print(f"The groups of {accounts} accounts are looked at")

    run_with(subscription, body)
