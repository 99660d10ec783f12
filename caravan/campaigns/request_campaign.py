"""The action ``request_campaign``: a campaign is requested for each of the people, and goes its own way.

The request's key names the effect it is of, so a step that is served again requests nothing twice.
"""

from caravan.campaigns.candidates import candidates
from caravan.campaigns.effects import Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage import campaigns, sql
from caravan.journeys.actions.request_campaign import RequestCampaign
from caravan.journeys.reasons import SkipReason


async def perform(visit: Visit, place: Place, action: RequestCampaign) -> int:
    """Request it once for all the people; the account does not wait for what comes of it."""
    people = [person.id for person in await candidates(visit, place, action)]
    campaign = await sql.fetchrow(visit.conn, "requestable_campaign", name=action.campaign)
    if campaign is not None and people:
        traversal = visit.traversal
        await campaigns.request(
            visit.conn,
            campaign,
            traversal.account_id,
            people,
            f"traversal/{traversal.id}/{visit.node}/{visit.number}/{place.position}",
            visit.as_of,
        )
    reason = None if campaign is not None else SkipReason.JOURNEY_NOT_LIVE
    await note(visit, place, action.kind, [Effect(one, reason) for one in people])
    return len(people)
