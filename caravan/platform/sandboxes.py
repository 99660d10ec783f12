"""Sandboxes of the Platform store, and which subscription each is paired with.

One sandbox per subscription and the reverse; the pairing table has both unique (product.md §7.7).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from caravan.database.errors import NotOurs
from caravan.database.migrations import migrate
from caravan.database.pool import connect
from caravan.database.schemas import schema_name

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"

_PAIRINGS = """
create table if not exists public.pairings (
  sandbox    text primary key,
  munchkin   text not null unique,
  created_at timestamptz not null default now()
)"""


def schema_of_sandbox(sandbox: str) -> str:
    """The schema that holds a sandbox: ``prod`` is ``sandbox_prod``."""
    return schema_name("sandbox", sandbox, "sandbox name")


async def provision(dsn: str, sandbox: str, munchkin: str) -> list[str]:
    """Create or upgrade a sandbox and pair it with its subscription.

    Returns:
        The names of the migrations applied; empty when it was up to date.
    """
    async with pairing(dsn, sandbox, munchkin) as applied:
        return applied


@asynccontextmanager
async def pairing(dsn: str, sandbox: str, munchkin: str) -> AsyncIterator[list[str]]:
    """``provision``, taken back as a whole where the block fails.

    The engage store is asked within the block: a pair that it refuses leaves nothing behind.

    Raises:
        NotOurs: either of the two is paired with another already.
        StoreUnreachable: the Platform database does not answer.
    """
    conn = await connect(dsn, "PLATFORM_DSN")
    try:
        async with conn.transaction():
            await conn.execute("select pg_advisory_xact_lock(hashtext('caravan.pairings'))")
            await conn.execute(_PAIRINGS)
            await conn.execute(
                "insert into public.pairings (sandbox, munchkin) values ($1, $2) on conflict do nothing",
                sandbox,
                munchkin,
            )
            taken = await conn.fetchrow(
                "select sandbox, munchkin from public.pairings"
                # names that differ in their case alone would share a schema
                " where (lower(sandbox) = lower($1) or lower(munchkin) = lower($2))"
                " and (sandbox, munchkin) <> ($1, $2)",
                sandbox,
                munchkin,
            )
            if taken is not None:
                raise NotOurs(
                    f"Sandbox {taken['sandbox']} is paired with subscription {taken['munchkin']}; a "
                    f"subscription has one sandbox and the reverse: name another than {sandbox}/{munchkin}"
                )
            yield await migrate(conn, schema_of_sandbox(sandbox), MIGRATIONS)
    finally:
        await conn.close()


async def pairings(dsn: str) -> list[Any]:
    """All pairs, by subscription."""
    conn = await connect(dsn, "PLATFORM_DSN")
    try:
        if await conn.fetchval("select to_regclass('public.pairings')") is None:
            return []
        return list(
            await conn.fetch(
                "select munchkin, sandbox, created_at from public.pairings order by munchkin"
            )
        )
    finally:
        await conn.close()


async def sandbox_of(dsn: str, munchkin: str) -> str:
    """The sandbox a subscription is paired with.

    Raises:
        NotOurs: with none.
    """
    for row in await pairings(dsn):
        if row["munchkin"] == munchkin:
            return str(row["sandbox"])
    raise NotOurs(f"Subscription {munchkin} is paired with no sandbox: run `caravan apply DIR`")
