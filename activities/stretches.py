"""The activity that serves a traversal in the stores: a thin shell over a stretch."""

from collections.abc import Sequence

import structlog
from temporalio import activity

from activities import counters
from activities.domain_time import clock
from activities.failures import told
from caravan.campaigns import stretch
from caravan.campaigns.plans import PlanCache
from caravan.journeys.state import Ended, Outcome
from caravan.stores import Stores
from workflows.contracts import RUN_STRETCH, StretchReply, StretchRequest

log = structlog.get_logger("caravan.stretch")


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
        note(ran.outcomes, ran.ended)
        return StretchReply(
            outcomes=tuple(ran.outcomes),
            ended=ran.ended,
            control=ran.control if request.with_plan or ran.moved else None,
            large=ran.large,
            more=ran.more,
            held_until=ran.held_until,
            moved=ran.moved,
        )


def note(outcomes: Sequence[Outcome], ended: Ended | None) -> None:
    """For operators: a line of the log and the counters."""
    for outcome in outcomes:
        log.debug("step", node=outcome.command.node, kind=outcome.command.kind, edge=outcome.edge)
        counters.add(counters.STEPS, 1, kind=outcome.command.kind)
    if ended is not None:
        log.info("account left", node=ended.node, reason=ended.reason, label=ended.label)
        counters.add(counters.LEFT, 1, reason=ended.reason)
