"""Recording opens and clicks together: what comes in while a transaction runs shares the next one.

Whoever asked is answered after the commit. A click leads on even where it could not be recorded in time: the
person who clicked has nothing to do with our store's troubles. It is tried again meanwhile.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

import structlog

from caravan.campaigns.mail_events import Seen, record_seen
from caravan.campaigns.plans import PlanCache
from caravan.gateway.subscriptions import Subscriptions

#: what one transaction records; what may wait for one, of a subscription
BATCH, MOST_WAITING = 500, 20_000
#: seconds to wait for others that come at the same time, and for the record before answering all the same
GATHER, PATIENCE = 0.002, 2.0
#: seconds before the next try; a transaction may be a deadlock's victim, or the store away for a moment
TRY_AGAIN = (0.02, 0.1, 0.5, 2.0, 5.0)

log = structlog.get_logger("caravan.gateway")

_Waiting = tuple[Seen, "asyncio.Future[None]"]


class Recorder:
    """Records what was seen of messages, of all subscriptions."""

    def __init__(
        self, subscriptions: Subscriptions, plans: PlanCache, now: Callable[[], datetime]
    ) -> None:
        self._subscriptions = subscriptions
        self._plans = plans
        self._now = now
        self._waiting: dict[str, list[_Waiting]] = {}
        self._lanes: dict[str, asyncio.Task[None]] = {}

    async def record(self, munchkin: str, seen: Seen) -> bool:
        """Record it with others; returns once it is committed, or after ``PATIENCE``.

        Returns:
            Whether it is recorded by now.
        """
        waiting = self._waiting.setdefault(munchkin, [])
        if len(waiting) >= MOST_WAITING:
            _lost(munchkin, [seen], "too many wait")
            return False
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append((seen, done))
        if munchkin not in self._lanes:
            self._lanes[munchkin] = asyncio.create_task(self._run(munchkin))
        await asyncio.wait([done], timeout=PATIENCE)
        return done.done() and not done.cancelled()

    async def close(self) -> None:
        """Record what still waits, for ``PATIENCE`` at most."""
        if self._lanes:
            _, late = await asyncio.wait(list(self._lanes.values()), timeout=PATIENCE)
            for lane in late:
                lane.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await lane

    async def _run(self, munchkin: str) -> None:
        """Record until nothing waits."""
        waiting = self._waiting[munchkin]
        try:
            while waiting:
                await asyncio.sleep(GATHER)
                batch = waiting[:BATCH]
                del waiting[:BATCH]
                await self._commit(munchkin, [seen for seen, _ in batch])
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)
        finally:
            del self._lanes[munchkin]

    async def _commit(self, munchkin: str, seen: list[Seen]) -> None:
        """One transaction, tried again; where one of many is what fails, each for itself."""
        error = await self._tried(munchkin, seen, TRY_AGAIN)
        if error is None:
            return
        for one in seen:
            failed = error if len(seen) == 1 else await self._tried(munchkin, [one], ())
            if failed is not None:
                _lost(munchkin, [one], type(failed).__name__)

    async def _tried(
        self, munchkin: str, seen: list[Seen], again: tuple[float, ...]
    ) -> Exception | None:
        for pause in (*again, None):
            try:
                pool = await self._subscriptions.engage_alone(munchkin)
                if pool is not None:
                    await record_seen(pool, self._plans, seen, self._now())
                return None
            except Exception as error:
                if pause is None:
                    return error
                await asyncio.sleep(pause)
        return None


def _lost(munchkin: str, seen: list[Seen], why: str) -> None:
    for one in seen:
        log.error(
            "not recorded", munchkin=munchkin, what=one.what, message=one.message_number, why=why
        )
