"""The subscriptions this gateway serves, by the name a token leads with.

Strangers can say any name; they cannot make us ask the store for it all the time.
"""

import asyncio
import time

from caravan.database.pool import Pool
from caravan.platform.sandboxes import pairings
from caravan.stores import Stores

#: seconds between two looks for a subscription that we do not know
LOOK_AGAIN = 2.0


class TooSoon(Exception):
    """A subscription we do not know, and may not look for again yet."""


class Subscriptions:
    """Gives the stores of a subscription that there is."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._known: frozenset[str] = frozenset()
        self._looked_at = -LOOK_AGAIN
        self._looking = asyncio.Lock()

    async def engage(self, munchkin: str) -> Pool | None:
        """Its engage store; None where there is no such subscription.

        Raises:
            TooSoon: it was not there a moment ago; whether it is now we shall know in a few seconds.
        """
        return await self._stores.engage(munchkin) if await self._serves(munchkin) else None

    async def platform(self, munchkin: str) -> Pool:
        """The Platform store of a subscription that there is."""
        return await self._stores.platform(munchkin)

    async def _serves(self, munchkin: str) -> bool:
        if munchkin in self._known:
            return True
        async with self._looking:
            if munchkin in self._known:
                return True
            if time.monotonic() - self._looked_at < LOOK_AGAIN:
                raise TooSoon
            rows = await pairings(self._stores.platform_dsn)
            self._looked_at = time.monotonic()
            self._known = frozenset(row["munchkin"] for row in rows)
        return munchkin in self._known
