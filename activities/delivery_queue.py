"""The activity that sends mail that waited: a thin shell over ``caravan.campaigns.delivery_queue``."""

import asyncio
import time
from datetime import UTC, datetime

import structlog
from temporalio import activity

from activities.draining import BUDGET, drain
from activities.failures import told
from caravan.campaigns import delivery_queue
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql
from caravan.stores import Stores
from workflows.contracts import DELIVER, DrainReply, DrainRequest

log = structlog.get_logger("caravan.delivery_queue")

#: conversations side by side: a relay that takes minutes over one message does not stop the others
LANES = 6
#: seconds between two looks of each where nothing is due
POLL = 3.0
#: how long it goes on at most, rather than have the others stand still while one waits for the relay
LONGEST = 10 * BUDGET


class DeliveryQueueActivities:
    def __init__(self, stores: Stores, plans: PlanCache, mailing: Mailing) -> None:
        self._stores = stores
        self._plans = plans
        self._mailing = mailing

    @activity.defn(name=DELIVER)
    @told
    async def deliver(self, request: DrainRequest) -> DrainReply:
        """Send what is due, at most once each, until the time is up."""
        info = activity.info()
        series = f"{info.workflow_run_id}/{info.activity_id}/"
        pool = await self._stores.engage(request.munchkin)
        await delivery_queue.take_over(pool, series, _now())
        began = time.monotonic()
        failures: list[Exception] = []
        busy: set[int] = set()

        def stopping() -> bool:
            return bool(failures) or activity.is_worker_shutdown()

        def over() -> bool:
            return stopping() or (time.monotonic() - began > BUDGET and not busy)

        async def lane(number: int) -> int:
            async def page() -> int:
                busy.add(number)
                try:
                    return await delivery_queue.send_some(
                        pool,
                        self._plans,
                        self._mailing,
                        f"{series}{info.attempt}/{number}",
                        _now,
                        stopping=stopping,
                    )
                finally:
                    busy.discard(number)

            try:
                return await drain(page, budget=LONGEST, poll=POLL, over=over)
            except (
                Exception
            ) as error:  # the others finish what they have in hand, and then it is told
                failures.append(error)
                return 0

        sent = sum(await asyncio.gather(*(lane(number) for number in range(LANES))))
        if sent:
            log.info("waiting mail seen to", messages=sent)
        if failures:
            raise failures[0]
        waits = await sql.fetchrow(pool, "waiting_counts", at=_now())
        return DrainReply(
            rows=sent,
            waiting=waits["due"],
            note=f"{waits['held']} held, {waits['deferred']} deferred",
        )


def _now() -> datetime:
    return datetime.now(UTC)
