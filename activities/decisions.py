"""The activity that has a model decide: a thin shell over ``caravan.campaigns.deciding``."""

from functools import partial

from temporalio import activity

from activities.askers import Askers
from activities.beating import beating
from activities.domain_time import begun, clock
from activities.failures import told
from activities.replies import reply
from caravan.ai.deciding import choose
from caravan.campaigns import deciding
from caravan.campaigns.plans import PlanCache
from caravan.stores import Stores
from workflows.contracts import DECIDE, DecideReply, DecideRequest


class DecisionActivities:
    """Without a model, or a word that counts, every account takes ``otherwise``."""

    def __init__(self, stores: Stores, plans: PlanCache, askers: Askers) -> None:
        self._stores = stores
        self._plans = plans
        self._askers = askers

    @activity.defn(name=DECIDE)
    @told
    async def decide(self, request: DecideRequest) -> DecideReply:
        """Have the model decide, and record which path the account takes."""
        async with beating():
            engage = await self._stores.engage(request.munchkin)
            decided = await deciding.decide(
                engage,
                self._plans,
                partial(choose, self._askers(engage)),
                traversal_id=request.traversal_id,
                step_no=request.step_no,
                asked_at=begun(request.as_of),
                now=clock(request.as_of),
                stopping=activity.is_worker_shutdown,
                go_on=request.go_on,
            )
        return reply(DecideReply, decided)
