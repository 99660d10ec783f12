"""The action ``remove_from_buying_group``: people leave the account's group."""

from caravan.buying_groups.membership import group_of
from caravan.campaigns import buying_group_changes
from caravan.campaigns.candidates import candidates
from caravan.campaigns.effects import Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.journeys.actions.remove_from_buying_group import RemoveFromBuyingGroup
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: RemoveFromBuyingGroup) -> int:
    """Take the people out, where nobody above a journey has put them in."""
    people = [person.id for person in await candidates(visit, place, action)]
    group_id = await group_of(visit.conn, visit.traversal.account_id, action.solution_interest)
    reasons: dict[int, SkipReason | None] = dict.fromkeys(people, SkipReason.NO_BUYING_GROUP)
    if group_id is not None:
        reasons = await buying_group_changes.remove(
            visit.conn, visit.plans, group_id, people, "journey", visit.as_of
        )
    await note(visit, place, action.kind, [Effect(one, reasons[one]) for one in people])
    return len(people)
