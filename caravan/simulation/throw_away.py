"""A pair of stores to be thrown away: a sandbox and a subscription of a run's own."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from caravan.database.pool import Pool, connect
from caravan.engage import subscriptions
from caravan.pairing import Databases, pair
from caravan.platform import sandboxes
from caravan.stores import Stores

#: of the names of pairs that are ours to drop
PREFIX = "simulation-"
#: connections that walk accounts at the same time: one computes while another waits for Postgres
LANES = 4


@dataclass(frozen=True)
class Pair:
    """The stores of one run."""

    munchkin: str
    engage: Pool
    platform: Pool


@asynccontextmanager
async def throw_away_pair(dsn: str) -> AsyncIterator[Pair]:
    """An empty pair in a database, dropped at the end."""
    name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    await pair(Databases(dsn, dsn), name, name, datetime.now(UTC))
    stores = Stores(dsn, dsn, pool_size=LANES + 1)
    try:
        yield Pair(name, await stores.engage(name), await stores.platform(name))
    finally:
        await stores.close()
        await _drop(dsn, name)


async def drop_left_behind(dsn: str) -> None:
    """Drop the pairs of runs that were killed; only for who is alone on the server."""
    for row in await sandboxes.pairings(dsn):
        if row["munchkin"].startswith(PREFIX):
            await _drop(dsn, row["munchkin"])


async def _drop(dsn: str, name: str) -> None:
    conn = await connect(dsn, "PLATFORM_DSN")
    try:
        async with conn.transaction():
            for schema in (subscriptions.schema_of(name), sandboxes.schema_of_sandbox(name)):
                await conn.execute(f'drop schema if exists "{schema}" cascade')
            await conn.execute("delete from public.pairings where munchkin = $1", name)
    finally:
        await conn.close()
