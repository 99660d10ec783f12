"""The action ``add_to_people_list``: people join a list."""

from caravan.campaigns import recording
from caravan.campaigns.candidates import candidates
from caravan.campaigns.effects import Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage import lists
from caravan.journeys.actions.add_to_people_list import AddToPeopleList
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: AddToPeopleList) -> int:
    """Add the people to a static list."""
    people = [person.id for person in await candidates(visit, place, action)]
    changed = await lists.add(visit.conn, "people", action.list, people, visit.as_of)
    effects = [Effect(one, None if one in changed else SkipReason.ALREADY_MEMBER) for one in people]
    await note(visit, place, action.kind, effects)
    await recording.look_at_exits_of(visit.conn, visit.plans, visit.as_of, person_ids=changed)
    return len(people)
