"""The action ``update_person``: one field of each person takes a new value."""

from caravan.campaigns import consents, recording, wording
from caravan.campaigns.candidates import Candidate, candidates, make_for_each
from caravan.campaigns.effects import Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.actions.update_person import UpdatePerson
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: UpdatePerson) -> int:
    """Write the field of those it changes, with outbox rows, and record ``person_changed``."""
    kind = visit.loaded.plan.catalog.of("person")[action.field]
    people = await candidates(visit, place, action)

    def fields(person: Candidate) -> dict[str, object]:
        return {action.field: wording.value(visit, action.value, kind, person.attributes)}

    wanted, unfit = make_for_each(people, fields)
    if action.field in consents.FIELDS:
        await consents.said_by(visit.conn, f"journey {visit.traversal.slug}/{visit.node}")
    changed = {
        row["id"]: row["old"]
        for row in await sql.fetch(
            visit.conn,
            "set_person_fields",
            ids=list(wanted),
            fields=list(wanted.values()),
            field=action.field,
            at=visit.as_of,
        )
    }
    effects = [Effect(one, None if one in changed else SkipReason.UNCHANGED) for one in wanted]
    await note(visit, place, action.kind, unfit + effects)
    if not changed:
        return len(people)
    await sql.execute(
        visit.conn,
        "write_changes",
        entity="person",
        ids=list(changed),
        fields=[wanted[person_id] for person_id in changed],
        at=visit.as_of,
    )
    await recording.record(
        visit.conn,
        visit.plans,
        [
            Happening(
                "person_changed",
                visit.as_of,
                person_id=person_id,
                fields={"field": action.field, "from": old, "to": wanted[person_id][action.field]},
            )
            for person_id, old in changed.items()
        ],
        visit.as_of,
    )
    return len(people)
