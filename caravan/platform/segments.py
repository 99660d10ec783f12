"""Segments: the people of an audience's accounts, the first thing a published journey builds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.platform import sql

#: accounts whose people are added in one transaction
PAGE = 5000


@dataclass(frozen=True)
class SegmentSize:
    accounts: int
    people: int


async def build(pool: Any, journey: str, version: int, audience: str, at: datetime) -> SegmentSize:
    """Build the segment, page by page of the audience; doing it again adds nothing."""
    page = [0]
    while page:
        rows = await sql.fetch(pool, "member_page", audience=audience, after=page[-1], limit=PAGE)
        page = [row["subject_id"] for row in rows]
        async with pool.acquire() as conn, conn.transaction():
            await extend(conn, journey, version, audience, at, page)
    return await _size(pool, journey, version)


async def extend(
    conn: Any, journey: str, version: int, audience: str, at: datetime, account_ids: Sequence[int]
) -> None:
    """Add the people of these accounts of the audience; doing it again adds nothing."""
    await sql.execute(
        conn, "store_segment", journey=journey, version=version, audience=audience, at=at
    )
    await sql.execute(
        conn,
        "fill_segment",
        journey=journey,
        version=version,
        audience=audience,
        account_ids=list(account_ids),
    )


async def build_of(
    conn: Any, journey: str, version: int, account_ids: Sequence[int], at: datetime
) -> SegmentSize:
    """Build the segment of accounts that a list of the engage store has."""
    await sql.execute(conn, "store_segment", journey=journey, version=version, audience=None, at=at)
    await sql.execute(
        conn, "fill_segment_of", journey=journey, version=version, account_ids=list(account_ids)
    )
    return await _size(conn, journey, version)


async def _size(conn: Any, journey: str, version: int) -> SegmentSize:
    row = await sql.fetchrow(conn, "segment_size", journey=journey, version=version)
    return SegmentSize(row["accounts"], row["people"])
