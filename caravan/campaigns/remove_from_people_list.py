"""The action ``remove_from_people_list``: people leave a list."""

from caravan.campaigns import recording
from caravan.campaigns.candidates import candidates
from caravan.campaigns.effects import Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage import lists
from caravan.journeys.actions.remove_from_people_list import RemoveFromPeopleList
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: RemoveFromPeopleList) -> int:
    """Remove the people from a static list."""
    people = [person.id for person in await candidates(visit, place, action)]
    changed = await lists.remove(visit.conn, "people", action.list, people)
    effects = [Effect(one, None if one in changed else SkipReason.NOT_MEMBER) for one in people]
    await note(visit, place, action.kind, effects)
    await recording.look_at_exits_of(visit.conn, visit.plans, visit.as_of, person_ids=changed)
    return len(people)
