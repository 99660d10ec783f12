"""The activity that sends a segment's mail: a thin shell over ``caravan.campaigns.sending``."""

import structlog
from temporalio import activity

from activities import counters
from activities.beating import beating
from activities.domain_time import clock
from activities.failures import told
from activities.replies import reply
from caravan.campaigns import sending
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.stores import Stores
from workflows.contracts import SEND_EMAIL, SendReply, SendRequest

log = structlog.get_logger("caravan.email")


class EmailActivities:
    def __init__(self, stores: Stores, plans: PlanCache, mailing: Mailing) -> None:
        self._stores = stores
        self._plans = plans
        self._mailing = mailing

    @activity.defn(name=SEND_EMAIL)
    @told
    async def send(self, request: SendRequest) -> SendReply:
        """Hand the messages over, at most once each."""
        info = activity.info()
        pool = await self._stores.engage(request.munchkin)
        async with beating():
            sent = await sending.send(
                pool,
                self._plans,
                self._mailing.for_store(pool),
                traversal_id=request.traversal_id,
                step_no=request.step_no,
                claimant=f"{info.workflow_run_id}/{info.activity_id}/{info.attempt}",
                now=clock(request.as_of),
                stopping=activity.is_worker_shutdown,
                go_on=request.go_on,
            )
        for outcome in sent.outcomes:
            if outcome.command.kind == "send":
                # known by now also where a journey begins with mail
                log.info("mail sent", **{"node": outcome.command.node, **outcome.counts})
            for state, number in outcome.counts.items():
                counters.add(counters.MAILS, number, state=state)
        return reply(SendReply, sent, with_plan=request.with_plan)
