"""What is done about differences between the stores: whoever's word counts says it once more.

Nothing is decided here. A later word of the engage store goes to its outbox, and the Platform judges it as any
other; where the Platform's counts, its outbox tells it down again; a record that the Platform has lost comes
back under its number. It may be done again, and beside the streams.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.database.outbox import nudge
from caravan.platform import sql
from caravan.platform.convergence import RECORD, Difference
from caravan.platform.merge import TABLES


@dataclass(frozen=True)
class Repaired:
    """How many records were told of again, by way; those that came back to the Platform."""

    up: int
    down: int
    returned: int


async def repair(
    engage: Any, platform: Any, differences: Sequence[Difference], at: datetime
) -> Repaired:
    """Have the streams mend what differs.

    Args:
        engage: pool of the subscription.
        platform: pool of its sandbox.
        differences: as ``convergence.compare`` found them.
        at: when.
    """
    lost = [one for one in differences if one.field == RECORD and one.engage_is_later]
    later = [one for one in differences if one.field != RECORD and one.engage_is_later]
    rest = [one for one in differences if not one.engage_is_later]
    async with engage.acquire() as conn, conn.transaction():
        for entity in TABLES:
            words = [one for one in later if one.entity == entity]
            await sql.execute(
                conn,
                "tell_up",
                entity=entity,
                ids=[one.id for one in words],
                fields=[{one.field: one.engage} for one in words],
                as_ofs=[datetime.fromisoformat(str(one.said_here)) for one in words],
            )
    async with platform.acquire() as conn, conn.transaction():
        await sql.execute(conn, "one_writer")
        returned = 0
        for entity, table in TABLES.items():
            rows = await sql.fetch(engage, f"these_{table}", ids=_ids(lost, entity))
            records = [row["record"] for row in rows]
            back = await sql.fetch(conn, f"return_{table}", records=records, at=at)
            returned += len(back)
            await sql.execute(conn, "tell_down", entity=entity, ids=_ids(rest, entity), at=at)
        await nudge(conn)
    return Repaired(_records(later), _records(rest), returned)


def _ids(differences: Iterable[Difference], entity: str) -> list[int]:
    return sorted({one.id for one in differences if one.entity == entity})


def _records(differences: Iterable[Difference]) -> int:
    return len({(one.entity, one.id) for one in differences})
