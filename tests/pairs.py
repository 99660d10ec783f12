"""Pairs of empty stores for tests: provisioned once, and emptied and renamed for the next test.

Provisioning is a quarter of a thousand statements of DDL in two databases, whose catalogs grow with every
pair: for each test anew it was the greatest part of the suite's time. What a test changed beside rows
(a trigger that fails, statistics) is seen, and its pair is not used again.
"""

import itertools
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from caravan.engage import subscriptions
from caravan.platform import sandboxes

#: all of a schema that emptying leaves as it is: how much there is of it, and the last transaction that wrote any.
#: Statistics are none of it, so one that has some differs
SHAPE = """
with relations as (select oid from pg_class where relnamespace = to_regnamespace($1))
select concat_ws(' ',
  (select concat(count(*), ':', sum(oid::bigint)) from relations),
  (select concat(count(*), ':', max(xmin::text::bigint)) from pg_attribute
   where attnum > 0 and attrelid in (select oid from relations)),
  (select concat(count(*), ':', max(xmin::text::bigint)) from pg_attrdef
   where adrelid in (select oid from relations)),
  (select concat(count(*), ':', max(xmin::text::bigint)) from pg_constraint
   where connamespace = to_regnamespace($1)),
  (select concat(count(*), ':', max(xmin::text::bigint)) from pg_trigger
   where tgrelid in (select oid from relations)),
  (select concat(count(*), ':', max(xmin::text::bigint)) from pg_proc
   where pronamespace = to_regnamespace($1)),
  (select count(*) from pg_statistic where starelid in (select oid from relations))
)"""

#: tables that were written, also by what was rolled back: their numbers went on
WRITTEN = """
select relname, pg_relation_size(oid) as bytes from pg_class
where relnamespace = to_regnamespace($1) and relkind = 'r' and pg_relation_size(oid) > 0"""

BEGIN_ANEW = """
select setval(oid, s.seqstart, false) from pg_class c join pg_sequence s on s.seqrelid = c.oid
where c.relnamespace = to_regnamespace($1)"""

#: a table of up to so many bytes
SMALL = 64 * 1024
#: emptied schemas, of both stores
VACUUM_EVERY = 20


@dataclass(frozen=True)
class Pair:
    """A subscription and its sandbox, and where they are."""

    platform_dsn: str
    engage_dsn: str
    munchkin: str
    sandbox: str

    @property
    def schemas(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """(database, schema) of both stores."""
        return (
            (self.platform_dsn, sandboxes.schema_of_sandbox(self.sandbox)),
            (self.engage_dsn, subscriptions.schema_of(self.munchkin)),
        )

    async def provision(self) -> None:
        await provision_sandbox(self.platform_dsn, self.sandbox, self.munchkin)
        await subscriptions.provision(self.engage_dsn, self.munchkin, self.sandbox)


async def provision_sandbox(dsn: str, sandbox: str, munchkin: str) -> list[str]:
    """Create or upgrade a sandbox, paired with a subscription that needs no loading up; the migrations applied."""
    claimed = await sandboxes.claim(dsn, sandbox, munchkin)
    await sandboxes.make_ready(dsn, claimed.pair_id)
    return claimed.applied


class Pairs:
    """Gives each test a pair that no other test has at the time, empty and under new names."""

    def __init__(self, notes: Mapping[str, Any]) -> None:
        self._dsns = (notes["platform_dsn"], notes["engage_dsn"])
        self._numbers = itertools.count(1)
        self._free: list[Pair] = []
        self._connections: dict[str, asyncpg.Connection] = {}
        self._shapes: dict[str, list[str]] = {}  # by munchkin as of now
        self._renewed = 0
        self._seeds: list[
            dict[str, str]
        ] = []  # by store: the rows that provisioning leaves, by table

    async def take(self) -> Pair:
        while self._free:
            old = self._free.pop()
            shapes = self._shapes.pop(old.munchkin)
            if await self._shape(old) != shapes or not await self._is_paired(old):
                continue
            with suppress(asyncpg.LockNotAvailableError):  # somebody's transaction is left in it
                new = self._next()
                await self._renew(old, new)
                self._shapes[new.munchkin] = shapes
                return new
        new = self._next()
        await new.provision()
        self._shapes[new.munchkin] = await self._shape(new)
        if not self._seeds:
            self._seeds = [await self._rows(dsn, schema) for dsn, schema in new.schemas]
        return new

    async def _rows(self, dsn: str, schema: str) -> dict[str, str]:
        conn = await self._connection(dsn)
        return {
            row["relname"]: await conn.fetchval(
                f'select jsonb_agg(to_jsonb(t))::text from "{schema}"."{row["relname"]}" t'
            )
            for row in await conn.fetch(WRITTEN, schema)
        }

    def _next(self) -> Pair:
        number = next(self._numbers)
        return Pair(*self._dsns, munchkin=f"test-{number}", sandbox=f"box-{number}")

    def give_back(self, pair: Pair) -> None:
        """Nothing of the test uses it any more; what still did would not find its schemas."""
        self._free.append(pair)

    async def close(self) -> None:
        for conn in self._connections.values():
            await conn.close()

    async def _is_paired(self, pair: Pair) -> bool:
        """Whether a test has left the two together."""
        conn = await self._connection(pair.platform_dsn)
        return bool(
            await conn.fetchval(
                "select exists (select from public.pairings where (munchkin, sandbox) = ($1, $2))",
                pair.munchkin,
                pair.sandbox,
            )
        )

    async def _shape(self, pair: Pair) -> list[str]:
        return [
            await (await self._connection(dsn)).fetchval(SHAPE, schema)
            for dsn, schema in pair.schemas
        ]

    async def _renew(self, old: Pair, new: Pair) -> None:
        stores = zip(old.schemas, new.schemas, self._seeds, strict=True)
        for (dsn, was), (_, name), seeds in stores:
            conn = await self._connection(dsn)
            async with conn.transaction():
                await conn.execute("set local lock_timeout = '5s'")
                await self._empty(conn, was)
                for table, rows in seeds.items():
                    of = f'"{was}"."{table}"'
                    await conn.execute(
                        f"insert into {of} select * from jsonb_populate_recordset(null::{of}, $1::jsonb)",
                        rows,
                    )
                await conn.fetch(BEGIN_ANEW, was)
                await conn.execute(f'alter schema "{was}" rename to "{name}"')
            # emptied tables leave their old rows of the catalog behind, which every look at a schema reads
            self._renewed += 1
            if self._renewed % VACUUM_EVERY < 2:
                await conn.execute("vacuum pg_class")
        platform, engage = [await self._connection(dsn) for dsn, _ in new.schemas]
        # anew, for the test may have taken the two apart
        await platform.execute("delete from public.pairings where munchkin = $1", old.munchkin)
        await platform.execute("delete from public.pairings where sandbox = $1", old.sandbox)
        await platform.execute(
            "insert into public.pairings (sandbox, munchkin) values ($1, $2)",
            new.sandbox,
            new.munchkin,
        )
        await engage.execute(
            f'update "{subscriptions.schema_of(new.munchkin)}".pair set sandbox = $1, munchkin = $2',
            new.sandbox,
            new.munchkin,
        )

    async def _empty(self, conn: asyncpg.Connection, schema: str) -> None:
        """Without a row; small tables row by row, for to truncate one costs a dozen new files."""
        rows = await conn.fetch(WRITTEN, schema)
        every = ", ".join(f'"{schema}"."{row["relname"]}"' for row in rows)
        await conn.execute(f"lock table {every}")  # nobody is in the middle of anything
        large = [f'"{schema}"."{row["relname"]}"' for row in rows if row["bytes"] > SMALL]
        if large:
            await conn.execute(f"truncate {', '.join(large)} cascade")
        # neither what points to a row nor a rule of what may go matters where all goes
        await conn.execute("set local session_replication_role = replica")
        for row in rows:
            if row["bytes"] <= SMALL:
                await conn.execute(f'delete from "{schema}"."{row["relname"]}"')
        await conn.execute("set local session_replication_role = origin")

    async def _connection(self, dsn: str) -> asyncpg.Connection:
        if dsn not in self._connections:
            self._connections[dsn] = await asyncpg.connect(dsn)
        return self._connections[dsn]
