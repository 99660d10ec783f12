"""Whom an action is for: the people of a visit on its path who pass its ``who``, or the most engaged of them (``top``)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from caravan.campaigns.effects import Effect, Place
from caravan.campaigns.visit import Visit
from caravan.delivery.errors import DeliveryError
from caravan.journeys.actions.base import PeopleAction
from caravan.journeys.conditions.sql import Binder, compile_condition
from caravan.journeys.reasons import SkipReason

Made = TypeVar("Made")


@dataclass(frozen=True)
class Candidate:
    """A person an action is meant for."""

    id: int
    attributes: dict[str, Any]


async def candidates(visit: Visit, place: Place, action: PeopleAction) -> list[Candidate]:
    """The people of the visit on the action's path who pass its ``who``, looked at just now.

    With ``top`` so many of them, the most engaged; of equals the first by the ids their team knows. Whom it
    was once is kept by the ledger: a try after one that died takes nobody else.
    """

    def build(binder: Binder) -> str:
        who = action.who
        allowed = compile_condition(who, "person", binder).predicate if who else "true"
        path = binder.literal(place.path, "text")
        chosen = (
            "select p.id, p.attributes from participants x join people p on p.id = x.person_id"
            f" join accounts a on a.id = {binder.named('account_id', 'bigint')}"
            " left join relations r on r.account_id = a.id and r.person_id = p.id and r.deleted_at is null"
            f" where x.traversal_id = {binder.named('traversal_id', 'bigint')}"
            f" and x.node = {binder.literal(visit.node, 'text')}"
            f" and x.visit = {binder.named('visit', 'integer')}"
            f" and ({path} is null or x.path = {path}) and ({allowed})"
        )
        if action.top is None:
            return f"{chosen} order by p.id"
        listed = _listed(visit, place, binder)
        return (
            f"select id, attributes from ({chosen} and (not exists ({listed})"
            f" or exists ({listed} and l.person_id = p.id))"
            " order by coalesce((select e.score from engagement_people e where e.person_id = p.id), 0) desc,"
            f" p.external_id limit {binder.literal(action.top, 'bigint')}) most order by id"
        )

    query = visit.loaded.query(("people", visit.node, place.position), build, visit.zones)
    rows = await query.fetch(visit.conn, **visit.named, visit=visit.number)
    return [Candidate(row["id"], row["attributes"]) for row in rows]


def _listed(visit: Visit, place: Place, binder: Binder) -> str:
    """The action's rows of the ledger, as SQL."""
    return (
        f"select from ledger l where l.traversal_id = {binder.named('traversal_id', 'bigint')}"
        f" and l.node = {binder.literal(visit.node, 'text')}"
        f" and l.visit = {binder.named('visit', 'integer')}"
        f" and l.position = {binder.literal(place.position, 'integer')}"
    )


def make_for_each(
    people: Sequence[Candidate], make: Callable[[Candidate], Made]
) -> tuple[dict[int, Made], list[Effect]]:
    """What an action makes of each person's data, and the effects of those it cannot be made for."""
    made, unfit = {}, []
    for person in people:
        try:
            made[person.id] = make(person)
        except DeliveryError:
            unfit.append(Effect(person.id, SkipReason.BAD_VALUE))
    return made, unfit
