"""Which of the ids that a source names are there."""

from collections.abc import Iterable
from typing import Any, Literal

from caravan.platform import sql


async def known(
    conn: Any, table: Literal["accounts", "people"], ids: Iterable[str | None]
) -> set[str]:
    """Those of these ids that the sandbox has."""
    wanted = sorted({one for one in ids if one is not None})
    if not wanted:
        return set()
    rows = await sql.fetch(conn, f"known_{table}", external_ids=wanted)
    return {row["external_id"] for row in rows}
