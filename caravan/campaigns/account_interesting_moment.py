"""The action ``account_interesting_moment``: a moment worth a salesperson's attention."""

from caravan.campaigns import recording, wording
from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage.happening import Happening
from caravan.journeys.actions.account_interesting_moment import AccountInterestingMoment
from caravan.journeys.actions.moment import MOMENT_TEXT_LIMIT


async def perform(visit: Visit, place: Place, action: AccountInterestingMoment) -> int:
    """Record the moment on the account."""
    text = wording.text(visit, action.text)[:MOMENT_TEXT_LIMIT]
    await note(visit, place, action.kind, [Effect(ACCOUNT)])
    account_id = visit.traversal.account_id
    moment = Happening(
        "account_interesting_moment",
        visit.as_of,
        account_id=account_id,
        fields={
            "type": action.type,
            "text": text,
            "journey": visit.traversal.slug,
            "node": visit.node,
        },
    )
    await recording.record_of_locked(visit.conn, visit.plans, [moment], account_id, visit.as_of)
    return 1
