"""The action ``update_account``: one field of the account takes a new value."""

from caravan.campaigns import wording
from caravan.campaigns.effects import Place
from caravan.campaigns.field_changes import tell
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.actions.update_account import UpdateAccount


async def perform(visit: Visit, place: Place, action: UpdateAccount) -> int:
    """Write the field, its as_of and the outbox row, and record ``account_changed``."""
    kind = visit.loaded.plan.catalog.of("account")[action.field]
    fields = {action.field: wording.value(visit, action.value, kind)}
    before = visit.account.get(action.field)
    changed = await sql.fetchval(
        visit.conn,
        "set_account_field",
        id=visit.traversal.account_id,
        field=action.field,
        fields=fields,
        at=visit.as_of,
    )
    value = fields[action.field]
    await tell(visit, place, action, "account_changed", value, [before] if changed else [])
    if changed:  # last, so that what fails above leaves the account in memory as it is in the store
        visit.account[action.field] = value
    return 1
