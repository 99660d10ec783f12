"""The action ``person_interesting_moment``: a moment of each person it is meant for."""

from caravan.campaigns import recording, wording
from caravan.campaigns.candidates import candidates, make_for_each
from caravan.campaigns.effects import Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage.happening import Happening
from caravan.journeys.actions.moment import MOMENT_TEXT_LIMIT
from caravan.journeys.actions.person_interesting_moment import PersonInterestingMoment


async def perform(visit: Visit, place: Place, action: PersonInterestingMoment) -> int:
    """Record the moment on the people."""
    people = await candidates(visit, place, action)
    texts, unfit = make_for_each(
        people, lambda person: wording.text(visit, action.text, person.attributes)
    )
    await note(visit, place, action.kind, unfit + [Effect(person_id) for person_id in texts])
    moments = [
        Happening(
            "interesting_moment",
            visit.as_of,
            person_id=person_id,
            fields={
                "type": action.type,
                "text": text[:MOMENT_TEXT_LIMIT],
                "journey": visit.traversal.slug,
                "node": visit.node,
            },
        )
        for person_id, text in texts.items()
    ]
    await recording.record(visit.conn, visit.plans, moments, visit.as_of)
    return len(people)
