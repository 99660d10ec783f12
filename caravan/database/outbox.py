"""The outbox of a store, read so that a change that commits late is never skipped.

Numbers are taken when a row is written but seen when it commits, so a reader that asks for
"greater than the last one I saw" loses rows. We read only what lies below the oldest transaction
still running (``pg_snapshot_xmin``): everything there has committed or never will.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: NOTIFY channel that nudges a reader; polling remains the truth
CHANNEL = "caravan_changes"

# Who wrote a change, so that nobody sends a store its own words back. The SQL that writes them names
# them: `import`, `journey` (an action), `verdict` (the Platform kept its own value: it must go down) and
# the two that do not go down:
SYNC = "sync"  # the Platform applied what the engage store sent
TIME = "time"  # nobody wrote anything: an audience may have changed by the passing of time

_PAGE = """
select c.epoch, c.xid::text as xid_text, c.seq, c.entity, c.id, c.fields::text as fields, c.as_of, c.origin
from changes c
where (c.epoch, c.xid, c.seq) > ($1::int, $2::text::xid8, $3::bigint)
  and c.xid < pg_snapshot_xmin(pg_current_snapshot())
order by c.epoch, c.xid, c.seq
limit $4
"""

_HORIZON = """
select coalesce((select max(epoch) from changes), 1) as epoch, pg_snapshot_xmin(pg_current_snapshot())::text as xid
"""

_CURSOR = """
insert into cursors (stream) values ($1)
on conflict (stream) do update set stream = excluded.stream
returning epoch, xid::text as xid, seq
"""

_CURSOR_NOW = "select epoch, xid::text as xid, seq from cursors where stream = $1"

_ADVANCE = """
update cursors set epoch = $2, xid = $3::text::xid8, seq = $4, applied = applied + $5, moved_at = $6
where stream = $1
"""

_WAITING = """
select count(*) as rows, min(as_of) as oldest
from changes where (epoch, xid, seq) > ($1::int, $2::text::xid8, $3::bigint)
"""


@dataclass(frozen=True)
class Cursor:
    """A place in an outbox. ``epoch`` leads: a restored cluster counts transactions anew."""

    epoch: int = 1
    xid: str = "0"
    seq: int = 0


@dataclass(frozen=True)
class Change:
    entity: str
    id: int
    fields: str  # JSON, as the store keeps it: readers pass it on
    as_of: datetime
    origin: str
    at: Cursor


async def read_page(conn: Any, after: Cursor, limit: int) -> list[Change]:
    """At most ``limit`` changes behind ``after``, in commit-safe order."""
    rows = await conn.fetch(_PAGE, after.epoch, after.xid, after.seq, limit)
    return [
        Change(
            entity=row["entity"],
            id=row["id"],
            fields=row["fields"],
            as_of=row["as_of"],
            origin=row["origin"],
            at=Cursor(row["epoch"], row["xid_text"], row["seq"]),
        )
        for row in rows
    ]


async def horizon(conn: Any) -> Cursor:
    """Where an outbox stands: all that lies before it has committed, and what follows is read behind it."""
    row = await conn.fetchrow(_HORIZON)
    return Cursor(row["epoch"], row["xid"], 0)


async def lock_cursor(conn: Any, stream: str) -> Cursor:
    """The cursor of ``stream``, locked until the transaction ends: two readers take turns."""
    row = await conn.fetchrow(_CURSOR, stream)
    return Cursor(row["epoch"], row["xid"], row["seq"])


async def read_cursor(conn: Any, stream: str) -> Cursor:
    """The cursor of ``stream`` as it stands, for who only looks."""
    row = await conn.fetchrow(_CURSOR_NOW, stream)
    return Cursor() if row is None else Cursor(row["epoch"], row["xid"], row["seq"])


async def advance_cursor(
    conn: Any, stream: str, to: Cursor, applied: int, moved_at: datetime
) -> None:
    """Commit progress together with what the page caused."""
    await conn.execute(_ADVANCE, stream, to.epoch, to.xid, to.seq, applied, moved_at)


async def waiting(conn: Any, after: Cursor) -> tuple[int, datetime | None]:
    """How many changes lie behind ``after`` and the as_of of the oldest: the lag."""
    row = await conn.fetchrow(_WAITING, after.epoch, after.xid, after.seq)
    return row["rows"], row["oldest"]


async def nudge(conn: Any) -> None:
    """Wake readers of this store's outbox when the transaction commits."""
    await conn.execute(f"notify {CHANNEL}")
