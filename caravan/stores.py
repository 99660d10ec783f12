"""The stores of a process: one pool per schema, opened when first needed, closed together."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from caravan.database.errors import NotOurs
from caravan.database.pool import Pool, open_pool
from caravan.engage import subscriptions
from caravan.platform import sandboxes

#: seconds for which a process believes what it read of a pair: unpairing waits them out
BELIEVED_FOR = 5.0
#: seconds for connections to come back to their pool and say good-bye
CLOSE_PATIENCE = 1.0


@dataclass
class _Believed:
    """A subscription's pool and its pair, and when (monotonic seconds) that was read."""

    engage: Pool
    sandbox: str
    pair_id: UUID | None
    read_at: float


class Stores:
    """Gives the engage pool of a subscription and the Platform pool of its sandbox."""

    def __init__(
        self,
        platform_dsn: str,
        engage_dsn: str,
        *,
        pool_size: int = 10,
        statement_cache: bool = True,
    ) -> None:
        self.platform_dsn = platform_dsn
        self.engage_dsn = engage_dsn
        self._options: dict[str, Any] = {"max_size": pool_size, "statement_cache": statement_cache}
        self._pools: dict[tuple[str, str], Pool] = {}
        self._pairs: dict[str, _Believed] = {}
        self._opening = asyncio.Lock()

    async def engage(self, munchkin: str) -> Pool:
        """The pool of a subscription; refused where its schema belongs to another pair."""
        return (await self._pair(munchkin)).engage

    async def engage_alone(self, munchkin: str) -> Pool:
        """The pool of a subscription, whether it is paired or not.

        For what people say of mail and texts that have gone: it is to be heard by whichever store sent them, and
        comes up when that is paired anew. Nothing else may work on a subscription without its sandbox.
        """
        return await self._pool("ENGAGE_DSN", self.engage_dsn, subscriptions.schema_of(munchkin))

    async def platform(self, munchkin: str) -> Pool:
        """The pool of the sandbox this subscription is paired with."""
        known = self._pairs.get(munchkin)
        if known is not None and await self._still_paired(munchkin, known):
            sandbox = known.sandbox
        else:  # which needs no engage store
            sandbox = (await sandboxes.pair_of(self.platform_dsn, munchkin))["sandbox"]
        schema = sandboxes.schema_of_sandbox(sandbox)
        return await self._pool("PLATFORM_DSN", self.platform_dsn, schema)

    async def _pair(self, munchkin: str) -> "_Believed":
        known = self._pairs.get(munchkin)
        if known is not None and await self._still_paired(munchkin, known):
            return known
        read_at = time.monotonic()
        pair = await sandboxes.pair_of(self.platform_dsn, munchkin)
        engage = await self._pool("ENGAGE_DSN", self.engage_dsn, subscriptions.schema_of(munchkin))
        await subscriptions.check_pair(engage, munchkin, pair["sandbox"], pair["pair_id"])
        found = _Believed(engage, pair["sandbox"], pair["pair_id"], read_at)
        self._pairs[munchkin] = found
        return found

    async def _still_paired(self, munchkin: str, known: "_Believed") -> bool:
        """Asked of the engage store, which is needed anyway: a Platform that is down stops no journey."""
        now = time.monotonic()
        if now - known.read_at < BELIEVED_FOR:
            return True
        known.read_at = now  # one asks for all
        try:
            await subscriptions.check_pair(known.engage, munchkin, known.sandbox, known.pair_id)
        except NotOurs:
            self._pairs.pop(munchkin, None)
            return False
        return True

    async def close(self) -> None:
        """Close all pools, for CLOSE_PATIENCE at most: a store that died may never answer the farewell."""
        pools = {id(pool): pool for pool in self._pools.values()}
        self._pools.clear()
        self._pairs.clear()
        await asyncio.gather(*map(_close, pools.values()))

    async def _pool(self, setting: str, dsn: str, schema: str) -> Pool:
        async with self._opening:
            key = (setting, schema)
            if key not in self._pools:
                self._pools[key] = await open_pool(dsn, schema, setting=setting, **self._options)
            return self._pools[key]


async def _close(pool: Pool) -> None:
    with suppress(TimeoutError):  # which terminates it
        await asyncio.wait_for(pool.close(), CLOSE_PATIENCE)
