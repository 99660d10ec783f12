"""Sees that the streams run that the stores say should run.

A stream is no journey: nobody is meant to end one. So every worker of streams looks every few seconds:
a subscription that is new gets its streams, and one that was ended by hand is started again. How
things stand is measured on the way.
"""

import asyncio
from datetime import UTC, datetime

import asyncpg
import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from activities.gauges import Gauges
from activities.stream_starts import ensure_admission, ensure_streams
from activities.upkeep_schedule import ensure_upkeep
from caravan.database.errors import StoreError
from caravan.engage import sql
from caravan.platform.sandboxes import pairings
from caravan.stores import Stores

log = structlog.get_logger("caravan.streams")

#: seconds between two looks
EVERY = 10.0


class StreamKeeper:
    def __init__(self, client: Client, stores: Stores, gauges: Gauges, upkeep: str) -> None:
        """``upkeep``: the times of the daily run over buying groups, as the setting says them."""
        self._client = client
        self._stores = stores
        self._gauges = gauges
        self._upkeep = upkeep

    async def keep(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except (
                OSError,
                StoreError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                RPCError,
            ) as error:
                log.warning("cannot look after the streams now", error=type(error).__name__)

    async def look(self) -> None:
        """Look once."""
        munchkins = [row["munchkin"] for row in await pairings(self._stores.platform_dsn)]
        await ensure_streams(self._client, munchkins)
        for munchkin in munchkins:
            await ensure_upkeep(self._client, munchkin, self._upkeep)
            engage = await self._stores.engage(munchkin)
            for journey in await sql.fetch(engage, "running_journeys"):
                if journey["ends_at"] > datetime.now(UTC):
                    await ensure_admission(self._client, munchkin, journey)
        await self._gauges.set(munchkins)
