"""The action ``update_account``: one field of the account takes a new value."""

from caravan.campaigns import recording, wording
from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.actions.update_account import UpdateAccount


async def perform(visit: Visit, place: Place, action: UpdateAccount) -> int:
    """Write the field, its as_of and the outbox row, and record ``account_changed``."""
    account_id = visit.traversal.account_id
    kind = visit.loaded.plan.catalog.of("account")[action.field]
    fields = {action.field: wording.value(visit, action.value, kind)}
    before = visit.account.get(action.field)
    changed = await sql.fetchval(
        visit.conn,
        "set_account_field",
        id=account_id,
        field=action.field,
        fields=fields,
        at=visit.as_of,
    )
    reason = None if changed else "unchanged"
    await note(visit, place, action.kind, [Effect(ACCOUNT, reason)])
    if not changed:
        return 1
    await recording.record(
        visit.conn,
        visit.plans,
        [
            Happening(
                "account_changed",
                visit.as_of,
                account_id=account_id,
                fields={"field": action.field, "from": before, "to": fields[action.field]},
            )
        ],
        visit.as_of,
    )
    # last, so that what fails above leaves the account in memory as it is in the store
    visit.account[action.field] = fields[action.field]
    return 1
