"""Segments: the people of an audience's accounts, the first thing a published journey builds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.platform import sql


@dataclass(frozen=True)
class SegmentSize:
    accounts: int
    people: int


async def build(
    conn: Any,
    journey: str,
    version: int,
    audience: str,
    at: datetime,
    account_ids: Sequence[int] | None = None,
) -> SegmentSize:
    """Build the segment, or add the people of these accounts; doing it again adds nothing."""
    await sql.execute(
        conn, "store_segment", journey=journey, version=version, audience=audience, at=at
    )
    await sql.execute(
        conn,
        "fill_segment",
        journey=journey,
        version=version,
        audience=audience,
        account_ids=list(account_ids) if account_ids is not None else None,
    )
    return await _size(conn, journey, version)


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
