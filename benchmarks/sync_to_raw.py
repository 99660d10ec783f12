"""The Platform sync against a bare upsert of the same rows into the same tables.

200,000 changes of 50,000 records wait in the engage store's outbox, forty pages. Page by page, first the
sync drains it (reads the outbox, merges by field, writes the Platform's own outbox and the cursor, and
reads the next page meanwhile); then the same records, whole, are upserted by one statement ``insert …
select from unnest … on conflict do update``, with ready-made JSON texts on a plain connection: the least
that writes these rows. Both touch the same rows of the same tables, the upsert those the sync has just warmed.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from benchmarks import data
from benchmarks.figures import Figure, Target, significant
from benchmarks.ground import Ground, Pair
from caravan.platform import sync

ACCOUNTS = 10_000
PEOPLE_PER_ACCOUNT = 4
RECORDS = ACCOUNTS * (1 + PEOPLE_PER_ACCOUNT)
ROUNDS = 4
CHANGES = RECORDS * ROUNDS

#: what journeys write: one field of the account, one of the person, and another each round
FIELDS = (
    ("source_type", "job_title"),
    ("city", "city"),
    ("state", "state"),
    ("domain", "time_zone"),
)
assert len(FIELDS) == ROUNDS
_OUTBOX = """
insert into changes (entity, id, fields, as_of, origin)
select $1, id, jsonb_build_object($2::text, $3::text), $4, 'journey'
from unnest($5::bigint[]) as i (id)
"""

_RAW = """
insert into {table} (id, external_id, attributes, stamps)
select * from unnest($1::bigint[], $2::text[], $3::jsonb[], $4::jsonb[])
on conflict (id) do update set attributes = excluded.attributes, stamps = excluded.stamps
"""


async def measure(ground: Ground) -> list[Figure]:
    """Drain and upsert, page by page."""
    async with ground.pair("sync-to-raw", "r1") as pair:
        ids = await _fill(pair)
        plain = await asyncpg.connect(pair.settings.platform_dsn)
        schema = await pair.platform.fetchval("select current_schema()")
        await plain.execute(f'set search_path = "{schema}"')
        synced = raw = 0.0
        rows = 0
        try:
            async with sync.up_flow(pair.engage, pair.platform, pair.munchkin) as flow:
                while rows < CHANGES:
                    began = time.perf_counter()
                    moved = await flow.page(datetime.now(UTC))
                    synced += time.perf_counter() - began
                    if moved != sync.PAGE:
                        raise AssertionError(f"a page of {moved} changes")
                    table, page = _page(ids, rows % RECORDS, moved)
                    rows += moved
                    raw += await _upsert(plain, table, page)
            await _arrived(pair)
        finally:
            await plain.close()
    return [
        Figure(
            "sync_to_raw",
            significant(raw / synced),
            Target("at least", 0.7),
            "of a bare upsert's rate",
            {
                "rows_per_second": round(rows / synced),
                "raw_per_second": round(rows / raw),
                "rows": rows,
            },
        )
    ]


async def _fill(pair: Pair) -> dict[str, list[int]]:
    """Records in the Platform, and changes of each in the engage store's outbox, round by round in order of id."""
    numbers = range(1, ACCOUNTS + 1)
    await pair.load(data.accounts_file(pair.folder, numbers))
    await pair.load(data.people_file(pair.folder, numbers, PEOPLE_PER_ACCOUNT))
    ids = {
        table: [
            row["id"] for row in await pair.platform.fetch(f"select id from {table} order by id")
        ]
        for table in ("accounts", "people")
    }
    now = datetime.now(UTC)
    for number, (of_account, of_person) in enumerate(FIELDS, 1):
        later = now + timedelta(seconds=number)
        for table, entity, field in (
            ("accounts", "account", of_account),
            ("people", "person", of_person),
        ):
            await pair.engage.execute(_OUTBOX, entity, field, "nurtured", later, ids[table])
    for pool in (pair.engage, pair.platform):
        await pool.execute("vacuum analyze")
    return ids


def _page(ids: dict[str, list[int]], after: int, size: int) -> tuple[str, list[int]]:
    """The records of a page of the outbox, which has all accounts first."""
    if after < ACCOUNTS:
        return "accounts", ids["accounts"][after : after + size]
    return "people", ids["people"][after - ACCOUNTS : after - ACCOUNTS + size]


async def _upsert(plain: Any, table: str, ids: list[int]) -> float:
    """Write the page's records whole, as one statement; returns its seconds."""
    records = await plain.fetch(
        f"select id, external_id, attributes, stamps from {table} where id = any($1::bigint[])", ids
    )
    changed = [
        [record["id"] for record in records],
        [record["external_id"] for record in records],
        [record["attributes"].replace("nurtured", "upserted") for record in records],
        [record["stamps"] for record in records],
    ]
    if not all("upserted" in json.dumps(text) for text in changed[2]):
        raise AssertionError("the sync did not write these records")
    began = time.perf_counter()
    await plain.execute(_RAW.format(table=table), *changed)
    return time.perf_counter() - began


async def _arrived(pair: Pair) -> None:
    lag = await sync.lag(pair.engage, pair.platform, pair.munchkin)
    if lag.rows or lag.applied != CHANGES:
        raise AssertionError(f"{lag.rows} changes wait, {lag.applied} were applied")
