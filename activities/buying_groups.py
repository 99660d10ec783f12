"""The activities of buying groups: thin shells over upkeep, intake and engagement.

Both the stream and the daily run answer the same questions; each takes what the other has not.
"""

import time
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities import counters
from activities.beating import beating
from activities.domain_time import clock
from activities.draining import drain
from activities.failures import told
from activities.stream_log import StreamLog
from caravan.buying_groups import upkeep
from caravan.campaigns import buying_group_intake, buying_group_upkeep, engagement_upkeep
from caravan.campaigns.plans import PlanCache
from caravan.stores import Stores
from workflows.contracts import (
    FOLLOW_UPKEEP,
    KEEP_GROUPS,
    QUESTION_GROUPS,
    RENEW_ENGAGEMENT,
    DrainReply,
    DrainRequest,
    UpkeepReply,
    UpkeepRequest,
)

#: how long an activity of the daily run works before the workflow shows how far it is
BUDGET = 5.0
#: seconds between two looks for a new scale while nothing else is to be done
SCALE_EVERY = 2.0


class BuyingGroupActivities:
    def __init__(self, stores: Stores, plans: PlanCache) -> None:
        self._stores = stores
        self._plans = plans

    @activity.defn(name=KEEP_GROUPS)
    @told
    async def keep(self, request: DrainRequest) -> DrainReply:
        """Bring in whom new jobs are about, and look at the groups in question."""
        engage = await self._stores.engage(request.munchkin)
        platform = await self._stores.platform(request.munchkin)
        note, scale_at = "", 0.0

        async def page() -> int:
            nonlocal note, scale_at
            kept = await self._keep_page(engage)
            intake = await buying_group_intake.bring_in_page(
                engage, platform, self._plans, datetime.now(UTC)
            )
            if intake is not None:
                note = f"job {intake.slug}: {intake.accounts} of {intake.size} accounts are here"
                return kept + max(intake.moved, 1)
            if kept or time.monotonic() < scale_at:
                return kept
            scale_at = time.monotonic() + SCALE_EVERY
            return await engagement_upkeep.keep_page(engage, self._plans, datetime.now(UTC))

        rows = await drain(page, said=lambda: note, log=StreamLog(engage, "buying-groups"))
        waiting = await buying_group_upkeep.waiting(engage)
        return DrainReply(rows=rows, waiting=waiting, note=note)

    @activity.defn(name=RENEW_ENGAGEMENT)
    @told
    async def renew_engagement(self, request: UpkeepRequest) -> UpkeepReply:
        """A new scale where one is due, and everybody brought up to it as far as the time reaches."""
        engage = await self._stores.engage(request.munchkin)
        rows, until, now = 0, time.monotonic() + BUDGET, clock(request.as_of)
        async with beating():
            while moved := await engagement_upkeep.keep_page(engage, self._plans, now()):
                rows += moved
                if time.monotonic() > until or activity.is_worker_shutdown():
                    return UpkeepReply(rows=rows, waiting=1)
        return UpkeepReply(rows=rows)

    @activity.defn(name=QUESTION_GROUPS)
    @told
    async def question(self, request: UpkeepRequest) -> UpkeepReply:
        """Put everybody in question; once more does no harm."""
        asked = await upkeep.question_all(await self._stores.engage(request.munchkin))
        return UpkeepReply(rows=asked.accounts, last=asked.last)

    @activity.defn(name=FOLLOW_UPKEEP)
    @told
    async def follow(self, request: UpkeepRequest) -> UpkeepReply:
        """Look at groups until all that the run has asked for is answered, or the time is up."""
        engage = await self._stores.engage(request.munchkin)
        waiting = request.accounts

        async def page() -> int:
            nonlocal waiting
            kept = await self._keep_page(engage)
            waiting = await buying_group_upkeep.questions_until(engage, request.last)
            return kept

        def said() -> str:
            return f"{max(request.accounts - waiting, 0)} of {request.accounts} accounts"

        rows = await drain(page, budget=BUDGET, over=lambda: waiting == 0, said=said)
        return UpkeepReply(rows=rows, waiting=waiting)

    async def _keep_page(self, engage: Any) -> int:
        kept = await buying_group_upkeep.keep_page(engage, self._plans, datetime.now(UTC))
        counters.add(counters.KEPT, kept)
        return kept
