"""Accounts brought into a journey in this process: what worker processes would do, without Temporal."""

from datetime import UTC, datetime

from benchmarks.ground import Pair
from caravan.campaigns import admission, audience_flow, storing
from caravan.campaigns.plans import PlanCache
from caravan.engage import journeys, sql
from caravan.journeys.compiler import compile_journey


async def let_in(pair: Pair, plans: PlanCache, slug: str) -> list[int]:
    """Publish a journey, bring its audience in and admit whom it takes; returns the traversals."""
    at = datetime.now(UTC)
    await storing.store(pair.engage, pair.platform, pair.workspace, at)
    compiled = compile_journey(pair.workspace, slug)
    journey_id = (await journeys.publish(pair.engage, compiled, at)).journey_id
    await audience_flow.build_segment(pair.engage, pair.platform, journey_id, at)
    while await audience_flow.bring_in_page(pair.engage, pair.platform, plans, journey_id, at):
        pass
    journey = await sql.fetchrow(pair.engage, "journey_by_id", id=journey_id)
    while await admission.admit_page(pair.engage, pair.platform, pair.munchkin, journey, at):
        pass
    return [row["id"] for row in await pair.engage.fetch("select id from traversals order by id")]
