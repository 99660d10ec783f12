"""The action ``assign_to_buying_group``: people play a role in the account's group."""

from caravan.buying_groups.membership import group_of
from caravan.campaigns import buying_group_changes
from caravan.campaigns.candidates import candidates
from caravan.campaigns.effects import Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.journeys.actions.assign_to_buying_group import AssignToBuyingGroup
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: AssignToBuyingGroup) -> int:
    """Give the people their role, where nobody above a journey has said otherwise."""
    people = [person.id for person in await candidates(visit, place, action)]
    group_id = await group_of(visit.conn, visit.traversal.account_id, action.solution_interest)
    reasons: dict[int, SkipReason | None] = dict.fromkeys(people, SkipReason.NO_BUYING_GROUP)
    if group_id is not None:
        reasons = await buying_group_changes.assign(
            visit.conn, visit.plans, group_id, people, action.role, "journey", visit.as_of
        )
    await note(visit, place, action.kind, [Effect(one, reasons[one]) for one in people])
    return len(people)
