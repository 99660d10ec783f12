"""The activity that sends mail that waited: a thin shell over ``caravan.campaigns.delivery_queue``."""

import asyncio
import time
from datetime import UTC, datetime

import structlog
from temporalio import activity

from activities.draining import BUDGET, drain
from activities.failures import ADDRESS, told
from activities.stream_log import StreamLog
from caravan.campaigns import delivery_queue
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.delivery.errors import RelayUnreachable
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
        mailing = self._mailing.for_store(pool)
        await delivery_queue.take_over(pool, series, _now())
        began = time.monotonic()
        failures: list[Exception] = []
        sent = 0
        busy: set[int] = set()

        def stopping() -> bool:
            return bool(failures) or activity.is_worker_shutdown()

        def over() -> bool:
            return stopping() or (time.monotonic() - began > BUDGET and not busy)

        async def lane(number: int) -> None:
            async def page() -> int:
                nonlocal sent
                busy.add(number)
                try:
                    moved = await delivery_queue.send_some(
                        pool,
                        self._plans,
                        mailing,
                        f"{series}{info.attempt}/{number}",
                        _now,
                        stopping=stopping,
                    )
                finally:
                    busy.discard(number)
                sent += moved
                return moved

            try:
                await drain(
                    page, budget=LONGEST, poll=POLL, over=over, log=StreamLog(pool, "delivery")
                )
            except (
                Exception
            ) as error:  # the others finish what they have in hand, and then it is told
                failures.append(error)

        await asyncio.gather(*(lane(number) for number in range(LANES)))
        if sent:
            log.info("waiting mail seen to", messages=sent)
        away = [one for one in failures if isinstance(one, RelayUnreachable)]
        if failures and not (sent and away == failures):
            raise failures[0]
        # a relay that took some and then went away is looked for at once, not after ever longer waits
        trouble = f" · {ADDRESS.sub('(address)', str(away[0]))}" if away else ""
        waits = await sql.fetchrow(pool, "waiting_counts", at=_now())
        return DrainReply(
            rows=sent,
            waiting=waits["due"],
            note=f"{waits['held']} held, {waits['deferred']} deferred{trouble}",
        )


def _now() -> datetime:
    return datetime.now(UTC)
