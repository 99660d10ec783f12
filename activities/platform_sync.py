"""The activity that takes what changed in the engage store back to the Platform."""

from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities import counters
from activities.draining import drain
from activities.failures import told
from caravan.platform import sync
from caravan.stores import Stores
from workflows.contracts import SYNC, DrainReply, DrainRequest


class PlatformSyncActivities:
    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    @activity.defn(name=SYNC)
    @told
    async def sync(self, request: DrainRequest) -> DrainReply:
        """Drain the outbox; says how far behind it is when it stops to report.

        Nobody nudges it: a NOTIFY makes commits take turns, and looking twice a second is soon enough.
        """
        engage = await self._stores.engage(request.munchkin)
        platform = await self._stores.platform(request.munchkin)
        rows = await drain(lambda: self._page(engage, platform, request.munchkin))
        lag = await sync.lag(engage, platform, request.munchkin)
        return DrainReply(rows=rows, waiting=lag.rows, lag_seconds=lag.seconds(datetime.now(UTC)))

    async def _page(self, engage: Any, platform: Any, munchkin: str) -> int:
        moved = await sync.drain_page(engage, platform, munchkin, datetime.now(UTC))
        counters.add(counters.SYNCED, moved)
        return moved
