"""The action ``remove_from_account_list``: the account leaves a list; journeys it is inside go on."""

from caravan.campaigns import recording
from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage import lists
from caravan.journeys.actions.remove_from_account_list import RemoveFromAccountList
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: RemoveFromAccountList) -> int:
    """Remove the account from a static list."""
    account_id = visit.traversal.account_id
    changed = await lists.remove(visit.conn, "accounts", action.list, [account_id])
    reason = None if changed else SkipReason.NOT_MEMBER
    await note(visit, place, action.kind, [Effect(ACCOUNT, reason)])
    await recording.look_at_exits_of(visit.conn, visit.plans, visit.as_of, account_ids=changed)
    return 1
