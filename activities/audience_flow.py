"""The activities of the audience flow: thin shells over ``caravan.campaigns.audience_flow``."""

from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities import counters
from activities.beating import beating
from activities.draining import drain
from activities.failures import told
from activities.nudges import Nudges
from activities.stream_log import StreamLog
from caravan.campaigns import audience_flow
from caravan.campaigns.plans import PlanCache
from caravan.database import outbox
from caravan.engage import dynamic_lists
from caravan.stores import Stores
from workflows.contracts import (
    BRING_IN,
    BUILD_SEGMENT,
    FOLLOW_AUDIENCES,
    AdmissionReply,
    AdmissionRequest,
    DrainReply,
    DrainRequest,
)


class AudienceFlowActivities:
    def __init__(self, stores: Stores, plans: PlanCache, nudges: Nudges | None = None) -> None:
        self._stores = stores
        self._plans = plans
        self._nudges = nudges

    @activity.defn(name=BUILD_SEGMENT)
    @told
    async def build_segment(self, request: AdmissionRequest) -> AdmissionReply:
        """The first step of a published journey: evaluate its audience, store its people."""
        engage = await self._stores.engage(request.munchkin)
        platform = await self._stores.platform(request.munchkin)
        async with beating():
            size = await audience_flow.build_segment(
                engage, platform, request.journey_id, datetime.now(UTC)
            )
        return AdmissionReply(accounts=size.accounts, people=size.people)

    @activity.defn(name=BRING_IN)
    @told
    async def bring_in(self, request: AdmissionRequest) -> AdmissionReply:
        """Bring the audience's accounts in and queue them, page by page; a retry goes on."""
        engage = await self._stores.engage(request.munchkin)
        platform = await self._stores.platform(request.munchkin)
        log = StreamLog(engage, "bring-in")

        async def page() -> int:
            return await audience_flow.bring_in_page(
                engage, platform, self._plans, request.journey_id, datetime.now(UTC)
            )

        brought = 0
        async with beating():
            while moved := await log.page(page):
                brought += moved
                if activity.is_worker_shutdown():
                    await log.moved(0, last=True)
                    # committed so far; the next attempt, elsewhere, goes on from the cursor
                    raise ApplicationError(
                        "the worker stops", category=ApplicationErrorCategory.BENIGN
                    )
        return AdmissionReply(accounts=brought)

    @activity.defn(name=FOLLOW_AUDIENCES)
    @told
    async def follow(self, request: DrainRequest) -> DrainReply:
        """Follow the Platform's outbox, and keep up the lists made of what is here: two streams in turn."""
        engage = await self._stores.engage(request.munchkin)
        platform = await self._stores.platform(request.munchkin)

        down, lists = StreamLog(engage, "down"), StreamLog(engage, "lists")

        async def follow() -> int:
            return await audience_flow.follow(engage, platform, self._plans, datetime.now(UTC))

        async def keep_lists() -> int:
            return await dynamic_lists.keep_page(engage, datetime.now(UTC))

        async def page() -> int:
            followed = await down.page(follow)
            counters.add(counters.FOLLOWED, followed)
            return followed + await lists.page(keep_lists)

        rows = await drain(page, self._nudges, [(platform, outbox.CHANNEL)])
        return DrainReply(rows=rows)
