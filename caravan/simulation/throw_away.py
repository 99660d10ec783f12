"""A pair of stores to be thrown away: a sandbox and a subscription in a database of a run's own.

To make a pair is a quarter of a thousand statements of DDL, and to copy a database is one. So a pair is made once
a server, as a template named for the SQL that made it, and each run has a copy.
"""

import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from caravan.database.pool import Pool, connect
from caravan.pairing import Databases, pair
from caravan.simulation import sql
from caravan.stores import Stores

#: of the names of databases that are ours to drop
PREFIX = "simulation-"
#: of those that copies are made of
TEMPLATE = f"{PREFIX}template-"
#: what the subscription and its sandbox are called, alone in their database as they are
NAME = "simulation"
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
    """An empty pair, dropped at the end.

    Args:
        dsn: of a server on which databases may be made; which of its databases does not matter.
    """
    copy = f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    async with _server(dsn) as server:
        template = await _template(server, dsn)
        await server.execute(f'create database "{copy}" template "{template}"')
    inside = _database_of(dsn, copy)
    stores = Stores(inside, inside, pool_size=LANES + 1)
    try:
        yield Pair(NAME, await stores.engage(NAME), await stores.platform(NAME))
    finally:
        await stores.close()
        async with _server(dsn) as server:
            await _drop(server, copy)


async def drop_left_behind(dsn: str) -> None:
    """Drop what killed runs left, and templates of other versions; only for who is alone on the server."""
    async with _server(dsn) as server:
        for row in await sql.fetch(server, "databases_of_ours", prefix=PREFIX):
            if row["name"] != _template_name():
                await _drop(server, row["name"])


async def _template(server: Any, dsn: str) -> str:
    """The database to copy, made where it is not there; who comes meanwhile waits for it."""
    name = _template_name()
    await sql.execute(server, "one_makes_the_template")
    try:
        if await sql.fetchval(server, "is_a_database", name=name):
            return name
        draft = f"{PREFIX}{os.getpid()}-draft"  # under its name only when it is whole
        await _drop(server, draft)
        await server.execute(f'create database "{draft}" template template0')
        inside = _database_of(dsn, draft)
        await pair(Databases(inside, inside), NAME, NAME, datetime.now(UTC))
        await server.execute(f'alter database "{draft}" rename to "{name}"')
    finally:
        await sql.execute(server, "the_template_is_made")
    return name


@cache
def _template_name() -> str:
    """Another for each version of the stores."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parents[1].rglob("*.sql")):
        digest.update(file.read_bytes())
    return TEMPLATE + digest.hexdigest()[:16]


async def _drop(server: Any, database: str) -> None:
    await server.execute(f'drop database if exists "{database}" with (force)')


def _database_of(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


@asynccontextmanager
async def _server(dsn: str) -> AsyncIterator[Any]:
    conn = await connect(dsn, "PLATFORM_DSN")
    try:
        yield conn
    finally:
        await conn.close()
