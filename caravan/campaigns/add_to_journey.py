"""The action ``add_to_journey``: the account is put in the queue of another journey's admission.

Whether its entry is allowed (re-entry, entries a day) is decided there, as for everybody; only the
audience is not asked about.
"""

from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage import admissions, sql
from caravan.journeys.actions.add_to_journey import AddToJourney
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: AddToJourney) -> int:
    """Queue the account; one that is inside already stays where it is."""
    account_id = visit.traversal.account_id
    journey = await sql.fetchrow(
        visit.conn,
        "journey_to_enter",
        slug=action.journey,
        account_id=account_id,
        at=visit.as_of,
    )
    reason = None
    if journey is None:
        reason = SkipReason.JOURNEY_NOT_LIVE
    elif journey["inside"]:
        reason = SkipReason.ALREADY_MEMBER
    else:
        await admissions.queue(visit.conn, journey, [account_id], visit.as_of, invited=True)
    await note(visit, place, action.kind, [Effect(ACCOUNT, reason)])
    return 1
