"""The activity that serves a traversal in the stores: a thin shell over a stretch."""

from temporalio import activity

from activities.domain_time import clock
from activities.failures import told
from activities.replies import reply
from caravan.campaigns import stretch
from caravan.campaigns.plans import PlanCache
from caravan.stores import Stores
from workflows.contracts import RUN_STRETCH, StretchReply, StretchRequest


class StretchActivities:
    def __init__(self, stores: Stores, plans: PlanCache) -> None:
        self._stores = stores
        self._plans = plans

    @activity.defn(name=RUN_STRETCH)
    @told
    async def run_stretch(self, request: StretchRequest) -> StretchReply:
        """Serve what the traversal's row says is due, in one transaction."""
        ran = await stretch.run(
            await self._stores.engage(request.munchkin),
            self._plans,
            request.traversal_id,
            request.step_no,
            clock(request.as_of)(),
            max_steps=1 if request.each_step else stretch.MAX_STEPS,
        )
        return reply(StretchReply, ran, with_plan=request.with_plan)
