"""What an audience would have now, whether it is stored, kept, or only written so far. Nothing is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.platform import audiences, sql
from caravan.platform.audiences import AudienceOf, StoredAudience


@dataclass(frozen=True)
class Preview:
    """Who would be in it, and the question that says so."""

    of: AudienceOf
    members: int
    sample: tuple[tuple[str, str | None], ...]  # (id, name or address) of the first by number
    sql: str
    parameters: tuple[Any, ...]


async def preview(
    pool: Any, slug: str, said: Mapping[str, StoredAudience], as_of: datetime, limit: int
) -> Preview:
    """Evaluate an audience without keeping anything.

    Args:
        pool: of the sandbox.
        slug: which audience.
        said: it and those that it may name, from ``audiences.stored`` or ``audiences.written``.
        as_of: the instant it is asked at.
        limit: members in the sample.
    """
    of = said[slug].of
    async with pool.acquire() as conn, conn.transaction(readonly=True):
        await sql.execute(conn, "allow_minutes")
        members = await audiences.matching(conn, slug, said, as_of)
        rows = await sql.fetch(conn, f"sample_of_{of}", ids=members[:limit].tolist())
    statement = audiences.selection(slug, said)
    return Preview(
        of=of,
        members=len(members),
        sample=tuple((row["external_id"], row["name"]) for row in rows),
        sql=statement.sql,
        parameters=tuple(statement.binder.args(as_of=as_of)),
    )
