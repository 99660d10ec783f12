"""The action ``update_buying_group_stage``: the account's group moves along its stage model."""

from caravan.buying_groups.membership import group_of
from caravan.campaigns import buying_group_changes
from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.journeys.actions.update_buying_group_stage import UpdateBuyingGroupStage
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: UpdateBuyingGroupStage) -> int:
    """Move the group, if there is one and its model allows it."""
    account_id, conn = visit.traversal.account_id, visit.conn
    group_id = await group_of(conn, account_id, action.solution_interest)
    reason: SkipReason | None = SkipReason.NO_BUYING_GROUP
    if group_id is not None:
        reason = await buying_group_changes.set_stage(
            conn, visit.plans, group_id, action.stage, "journey", visit.as_of
        )
    await note(visit, place, action.kind, [Effect(ACCOUNT, reason)])
    return 1
