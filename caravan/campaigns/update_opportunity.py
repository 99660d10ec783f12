"""The action ``update_opportunity``: a field of the account's opportunities takes a new value."""

from caravan.campaigns import wording
from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.field_changes import tell
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.journeys.actions.update_opportunity import UpdateOpportunity
from caravan.journeys.conditions.related import opportunities_of_account
from caravan.journeys.conditions.sql import Binder, compile_tests
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: UpdateOpportunity) -> int:
    """Write the field of those it fits, with outbox rows, and record ``opportunity_changed``."""

    def build(binder: Binder) -> str:
        fits = compile_tests(action.which.tests, "o", binder)
        return (
            f"select o.id from accounts a, lateral (select o.* {opportunities_of_account()}) o"
            f" where a.id = {binder.named('account_id', 'bigint')} and ({fits}) order by o.id"
        )

    query = visit.loaded.query(("opportunities", visit.node, place.position), build, visit.zones)
    ids = [row["id"] for row in await query.fetch(visit.conn, **visit.named)]
    if not ids:
        await note(visit, place, action.kind, [Effect(ACCOUNT, SkipReason.NO_OPPORTUNITY)])
        return 1
    kind = visit.loaded.plan.catalog.of("opportunity")[action.field]
    fields = {action.field: wording.value(visit, action.value, kind)}
    changed = await sql.fetch(
        visit.conn,
        "set_opportunity_fields",
        ids=ids,
        field=action.field,
        fields=fields,
        at=visit.as_of,
    )
    await sql.execute(
        visit.conn,
        "write_changes",
        entity="opportunity",
        ids=[row["id"] for row in changed],
        fields=[fields] * len(changed),
        at=visit.as_of,
    )
    before = [row["old"] for row in changed]
    await tell(visit, place, action, "opportunity_changed", fields[action.field], before)
    return 1
