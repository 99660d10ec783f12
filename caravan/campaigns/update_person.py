"""The action ``update_person``: one field of each person takes a new value."""

from caravan.campaigns import consents, wording
from caravan.campaigns.effects import Candidate, Effect, Place, candidates, make_for_each, note
from caravan.campaigns.person_fields import set_field
from caravan.campaigns.visit import Visit
from caravan.journeys.actions.update_person import UpdatePerson


async def perform(visit: Visit, place: Place, action: UpdatePerson) -> int:
    """Write the field of those it changes, with outbox rows, and record ``person_changed``."""
    kind = visit.loaded.plan.catalog.of("person")[action.field]
    people = await candidates(visit, place, action)

    def fields(person: Candidate) -> dict[str, object]:
        return {action.field: wording.value(visit, action.value, kind, person.attributes)}

    wanted, unfit = make_for_each(people, fields)
    if action.field in consents.FIELDS:
        await consents.said_by(visit.conn, f"journey {visit.traversal.slug}/{visit.node}")
    changed = set(await set_field(visit.conn, visit.plans, wanted, action.field, visit.as_of))
    effects = [Effect(one, None if one in changed else "unchanged") for one in wanted]
    await note(visit, place, action.kind, unfit + effects)
    return len(people)
