"""The stores of a process: one pool per schema, opened when first needed, closed together."""

import asyncio
from contextlib import suppress
from typing import Any

from caravan.database.pool import Pool, open_pool
from caravan.engage import subscriptions
from caravan.platform import sandboxes


async def provision(platform_dsn: str, engage_dsn: str, sandbox: str, munchkin: str) -> None:
    """Create or upgrade both stores of a pair; refused by either, it is not paired.

    Raises:
        NotOurs: one of the two is paired with another.
        StoreUnreachable: a database does not answer; names its setting.
    """
    async with sandboxes.pairing(platform_dsn, sandbox, munchkin):
        await subscriptions.provision(engage_dsn, munchkin, sandbox)


#: seconds for connections to come back to their pool and say good-bye
CLOSE_PATIENCE = 1.0


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
        self._opening = asyncio.Lock()

    async def engage(self, munchkin: str) -> Pool:
        """The pool of a subscription; refused where its schema belongs to another pair."""
        key = ("subscription", munchkin)
        if key not in self._pools:
            sandbox = await sandboxes.sandbox_of(self.platform_dsn, munchkin)
            schema = subscriptions.schema_of(munchkin)
            pool = await self._pool("ENGAGE_DSN", self.engage_dsn, schema)
            await subscriptions.check_pair(pool, munchkin, sandbox)
            self._pools[key] = pool
        return self._pools[key]

    async def platform(self, munchkin: str) -> Pool:
        """The pool of the sandbox this subscription is paired with."""
        key = ("sandbox", munchkin)
        if key not in self._pools:
            sandbox = await sandboxes.sandbox_of(self.platform_dsn, munchkin)
            schema = sandboxes.schema_of_sandbox(sandbox)
            self._pools[key] = await self._pool("PLATFORM_DSN", self.platform_dsn, schema)
        return self._pools[key]

    async def close(self) -> None:
        """Close all pools, for CLOSE_PATIENCE at most: a store that died may never answer the farewell."""
        pools = {id(pool): pool for pool in self._pools.values()}
        self._pools.clear()
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
