"""The action ``change_score``: a score of each person grows, shrinks, or takes a value."""

from caravan.campaigns import recording
from caravan.campaigns.candidates import candidates
from caravan.campaigns.effects import Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.actions.change_score import ChangeScore
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: ChangeScore) -> int:
    """Change the score of those it is different for, and record ``score_changed``."""
    people = [person.id for person in await candidates(visit, place, action)]
    rows = await sql.fetch(
        visit.conn,
        "change_scores",
        person_ids=people,
        score=action.score,
        start=action.start,
        by=action.by,
        to=action.to,
    )
    changed = {row["person_id"]: row for row in rows}
    effects = [Effect(one, None if one in changed else SkipReason.UNCHANGED) for one in people]
    await note(visit, place, action.kind, effects)
    await recording.record(
        visit.conn,
        visit.plans,
        [
            Happening(
                "score_changed",
                visit.as_of,
                person_id=person_id,
                fields={"score": action.score, "from": row["old"], "value": row["new"]},
            )
            for person_id, row in changed.items()
        ],
        visit.as_of,
    )
    return len(people)
