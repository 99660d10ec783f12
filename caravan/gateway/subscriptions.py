"""The subscriptions this gateway serves, by the name a token leads with.

Strangers can say any name; they cannot make us ask the store for it all the time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from caravan.database.pool import Pool
from caravan.engage.subscriptions import all_of
from caravan.gateway.errors import Refusal
from caravan.platform.sandboxes import pairings
from caravan.stores import Stores

#: seconds between two looks for a subscription that we do not know
LOOK_AGAIN = 2.0


class TooSoon(Refusal):
    """A subscription we do not know, and may not look for again yet."""

    def __init__(self) -> None:
        super().__init__(503, "RATE_LIMITED", "send it again in a few seconds")


class Subscriptions:
    """Gives the stores of a subscription that there is."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._paired = _Known(self._pairs)
        self._all = _Known(lambda: all_of(stores.engage_dsn))

    async def engage(self, munchkin: str) -> Pool | None:
        """The engage store of one that is paired; None where there is no such subscription.

        Raises:
            TooSoon: it was not there a moment ago; whether it is now we shall know in a few seconds.
        """
        return await self._stores.engage(munchkin) if await self._paired.has(munchkin) else None

    async def engage_alone(self, munchkin: str) -> Pool | None:
        """The engage store of one that is paired or not: for the links of mail that has gone; as above."""
        return await self._stores.engage_alone(munchkin) if await self._all.has(munchkin) else None

    async def all(self) -> Iterable[str]:
        """Every subscription there is now, paired or not: for what does not say whose it is."""
        return await self._all.read()

    async def platform(self, munchkin: str) -> Pool:
        """The Platform store of a subscription that there is."""
        return await self._stores.platform(munchkin)

    async def _pairs(self) -> Iterable[str]:
        return [row["munchkin"] for row in await pairings(self._stores.platform_dsn)]


class _Known:
    """Names that a database has, read anew for one that is not among them."""

    def __init__(self, ask: Callable[[], Awaitable[Iterable[str]]]) -> None:
        self._ask = ask
        self._names: frozenset[str] = frozenset()
        self._looked_at = -LOOK_AGAIN
        self._looking = asyncio.Lock()

    async def has(self, name: str) -> bool:
        """Whether there is one; raises ``TooSoon``."""
        if name in self._names:
            return True
        async with self._looking:
            if name in self._names:
                return True
            if time.monotonic() - self._looked_at < LOOK_AGAIN:
                raise TooSoon
            return name in await self.read()

    async def read(self) -> frozenset[str]:
        """All of them, read anew."""
        self._names = frozenset(await self._ask())
        self._looked_at = time.monotonic()
        return self._names
