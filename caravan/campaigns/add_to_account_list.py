"""The action ``add_to_account_list``: the account joins a list, and so the journeys that take theirs from it."""

from caravan.campaigns import recording
from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage import lists
from caravan.journeys.actions.add_to_account_list import AddToAccountList
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: AddToAccountList) -> int:
    """Add the account to a static list."""
    account_id = visit.traversal.account_id
    changed = await lists.add(visit.conn, "accounts", action.list, [account_id], visit.as_of)
    reason = None if changed else SkipReason.ALREADY_MEMBER
    await note(visit, place, action.kind, [Effect(ACCOUNT, reason)])
    await recording.look_at_exits_of(visit.conn, visit.plans, visit.as_of, account_ids=changed)
    return 1
