"""The action ``update_buying_group_status``: the account's group gets a status, or none."""

from caravan.buying_groups.membership import group_of
from caravan.campaigns import buying_group_changes, wording
from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.journeys.actions.update_buying_group_status import (
    LONGEST_STATUS,
    UpdateBuyingGroupStatus,
)
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: UpdateBuyingGroupStatus) -> int:
    """Give the group its status, if there is a group."""
    account_id, conn = visit.traversal.account_id, visit.conn
    status = wording.text(visit, action.status or "")[:LONGEST_STATUS].strip()
    group_id = await group_of(conn, account_id, action.solution_interest)
    reason: SkipReason | None = SkipReason.NO_BUYING_GROUP
    if group_id is not None:
        reason = await buying_group_changes.set_status(
            conn, visit.plans, group_id, status or None, "journey", visit.as_of
        )
    await note(visit, place, action.kind, [Effect(ACCOUNT, reason)])
    return 1
