"""How long a change of the engage store takes to reach the Platform, at 200 changes a second.

As journeys write: each change is a transaction of its own, which writes a field of an account and its outbox row.
The clock of a change starts before that transaction begins and stops when another connection sees the value in the
Platform, looking every 20 ms. In between is the real stream: the workflow, its activity in a worker process, and
what the Platform decides. It lasts longer than one run of the activity, so that the change of runs is in it.
"""

import asyncio
import time
from datetime import UTC, datetime

from benchmarks import data
from benchmarks.figures import Figure, Target, percentile, significant
from benchmarks.ground import Ground, Pair, reached
from caravan.database import outbox
from caravan.engage import sql
from caravan.platform import down_flow

PER_SECOND = 200
SECONDS = 55
CHANGES = PER_SECOND * SECONDS
WRITERS = 4
LOOK_EVERY = 0.02
FIELD = "source_type"

_COPY = "select id, external_id, attributes, stamps from accounts order by id"
_PASTE = "insert into accounts (id, external_id, attributes, stamps) values ($1, $2, $3, $4)"
# what the sync itself tells the Platform's audiences: read as they read it, so that looking costs little
_ARRIVED = "select seq, id from changes where origin = 'sync' and seq > $1 order by seq"


async def measure(ground: Ground) -> list[Figure]:
    """Let one change through to see that all is up, then the others at their pace."""
    async with ground.pair("sync-lag", "r1") as pair:
        ids = await _fill(pair)
        ground.stack.start_worker([], name="sync-worker")
        try:
            took = await _write_and_see(pair, ids)
        finally:
            ground.stack.stop(only="sync-worker")
    return [
        Figure(
            "sync_lag_seconds_p99",
            significant(percentile(took, 0.99)),
            Target("at most", 1),
            "s",
            {
                "median": significant(percentile(took, 0.5)),
                "most": significant(max(took)),
                "changes": len(took),
                "late_in_second": sorted(
                    {n // PER_SECOND for n, one in enumerate(took) if one > 1}
                ),
            },
        )
    ]


async def _fill(pair: Pair) -> list[int]:
    """Accounts in both stores."""
    await pair.load(data.accounts_file(pair.folder, range(CHANGES + 1)))
    rows = [tuple(row) for row in await pair.platform.fetch(_COPY)]
    async with pair.engage.acquire() as conn:
        await conn.executemany(_PASTE, rows)
    return [row[0] for row in rows]


async def _write_and_see(pair: Pair, ids: list[int]) -> list[float]:
    """Seconds from before a change to when it was seen, one per change in their order."""
    began: dict[int, float] = {}
    seen: dict[int, float] = {}
    last = 0

    async def write(account: int) -> None:
        began[account] = time.monotonic()
        async with pair.engage.acquire() as conn, conn.transaction():
            await sql.execute(
                conn,
                "set_account_field",
                id=account,
                field=FIELD,
                fields={FIELD: "seen"},
                at=datetime.now(UTC),
            )

    async def write_at_pace(writer: int, start: float) -> None:
        for number in range(writer, CHANGES, WRITERS):
            await asyncio.sleep(start + number / PER_SECOND - time.monotonic())
            await write(ids[number])

    async def all_seen(number: int) -> bool:
        nonlocal last
        for row in await pair.platform.fetch(_ARRIVED, last):
            last = row["seq"]
            seen.setdefault(row["id"], time.monotonic())
        return len(seen) == number

    async def nothing_to_follow() -> bool:
        """The accounts' own import has been looked at by the stream that goes the other way."""
        async with pair.engage.acquire() as here, pair.platform.acquire() as there:
            cursor, _ = await outbox.where(here, down_flow.STREAM)
            return (await outbox.waiting(there, cursor)).rows == 0

    first = ids.pop()
    await write(first)
    await reached("the first change", lambda: all_seen(1), every=LOOK_EVERY)
    await reached("the down-flow's end", nothing_to_follow)
    start = time.monotonic()
    writing = asyncio.gather(*(write_at_pace(writer, start) for writer in range(WRITERS)))
    try:
        await reached("all changes", lambda: all_seen(CHANGES + 1), every=LOOK_EVERY)
        await writing
    finally:
        writing.cancel()
    return [seen[account] - began[account] for account in ids]
