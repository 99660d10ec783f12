"""An audience evaluated for everybody, without standing in anybody's way.

Who matches is found by one query that writes nothing; a transaction that has written nothing does not
hold back the outbox, however long it reads. What it found is then written stretch by stretch of ids,
each in a short transaction. Meanwhile the stream goes on evaluating accounts that change, and may have
been overwritten by what was found before: whatever has changed since the query began is therefore put
into the outbox once more. Doing it again, or from the start after a crash, does no harm.
"""

from array import array
from bisect import bisect_right
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from caravan.database import outbox
from caravan.journeys.conditions.membership import Membership
from caravan.platform import audiences, sql

#: subjects in a stretch
STRETCH = 5000


class _Edited(Exception):
    """Some audience says something else than when the evaluation began."""


async def evaluate_whole(pool: Any, slug: str, as_of: datetime) -> int:
    """Bring an audience's membership up to date for everybody.

    Args:
        pool: of the sandbox.
        slug: which audience.
        as_of: domain time.

    Returns:
        How many are in it.
    """
    while True:
        try:
            return await _evaluate(pool, slug, as_of)
        except _Edited:
            continue


async def _evaluate(pool: Any, slug: str, as_of: datetime) -> int:
    async with pool.acquire() as conn:
        async with conn.transaction():
            await sql.execute(conn, "allow_minutes")
            edition = await sql.fetchval(conn, "edition")
            snapshot = await sql.fetchval(conn, "snapshot")
            said = await audiences.stored(conn)
            matching = await audiences.matching(conn, slug, said, as_of)
        kept = audiences.membership(slug, said, "between")
        async for after, upto in _stretches(conn, said[slug].of):
            async with conn.transaction():
                await _same(conn, edition)
                await _settle(conn, slug, kept, matching, after, upto, as_of)
        async with conn.transaction():
            await _same(conn, edition)
            await sql.execute(conn, "question_unseen", snapshot=snapshot, at=as_of)
            await sql.execute(conn, "mark_evaluated", slug=slug, at=as_of)
            await outbox.nudge(conn)
    return len(matching)


async def _stretches(conn: Any, of: audiences.AudienceOf) -> AsyncIterator[tuple[int, int]]:
    """All ids there are, as (after, up to)."""
    after = -1  # tests and other people's data may begin with 0
    while (
        upto := await sql.fetchval(conn, f"stretch_of_{of}", after=after, limit=STRETCH)
    ) is not None:
        yield after, upto
        after = upto


async def _same(conn: Any, edition: int) -> None:
    """Whoever edits now waits; who has edited meanwhile is heard.

    Raises:
        _Edited: somebody has.
    """
    await sql.execute(conn, "lock_to_evaluate")
    if await sql.fetchval(conn, "edition") != edition:
        raise _Edited


async def _settle(
    conn: Any,
    slug: str,
    kept: Membership,
    matching: "array[int]",
    after: int,
    upto: int,
    as_of: datetime,
) -> None:
    """Write what was found of a stretch, and when each of it may change by time alone."""
    found = matching[bisect_right(matching, after) : bisect_right(matching, upto)]
    await sql.execute(
        conn,
        "settle_members",
        audience=slug,
        subject_ids=found.tolist(),
        after=after,
        upto=upto,
        at=as_of,
    )
    flips = kept.look_again()
    if flips is not None:
        await conn.execute(flips.sql, *flips.binder.args(as_of=as_of, after=after, upto=upto))
