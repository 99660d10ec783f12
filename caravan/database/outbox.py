"""The outbox of a store, read so that a change that commits late is never skipped.

Numbers are taken when a row is written but seen when it commits, so a reader that asks for
"greater than the last one I saw" loses rows. We read only what lies below the oldest transaction
still running (``pg_snapshot_xmin``): everything there has committed or never will. Whatever writes
anywhere in the cluster for long holds us up, so that can be asked too.

How long a change waits and how old it is goes by the store's own clock (``written_at``): ``as_of`` is since when
somebody says so, in an import years ago and in a simulation years ahead.

A restored store counts transactions anew, and then numbers say nothing: a new epoch begins
(``begin_epoch``), which comes after all that is there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.database.errors import StoreRestored

#: NOTIFY channel that nudges a reader; polling remains the truth
CHANNEL = "caravan_changes"

# Who wrote a change, so that nobody sends a store its own words back. The SQL that writes them names
# them: `import`, `journey` (an action), `verdict` (the Platform kept its own value: it must go down) and
# the two that do not go down:
SYNC = "sync"  # the Platform applied what the engage store sent
TIME = "time"  # nobody wrote anything: an audience may have changed by the passing of time

# the epoch that rows are written in is what the column says by itself: no writer has to know of it
_EPOCH = """
select pg_get_expr(d.adbin, d.adrelid)::int
from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
where d.adrelid = 'changes'::regclass and a.attname = 'epoch'
"""

# what is of an epoch before has committed: one begins while nobody writes
_PAGE = f"""
select c.epoch, c.xid::text as xid_text, c.seq, c.entity, c.id, c.fields::text as fields, c.as_of, c.origin
from changes c
where (c.epoch, c.xid, c.seq) > ($1::int, $2::text::xid8, $3::bigint)
  and (c.xid < pg_snapshot_xmin(pg_current_snapshot()) or c.epoch < ({_EPOCH}))
order by c.epoch, c.xid, c.seq
limit $4
"""

_HORIZON = f"""
select ({_EPOCH}) as epoch, pg_snapshot_xmin(pg_current_snapshot())::text as xid
"""

# beyond the next number to be given: a cursor may stand at that one, where an outbox was read as of now
_AHEAD = f"""
select ($1::int, $2::text::xid8) > (({_EPOCH}), pg_snapshot_xmax(pg_current_snapshot()))
"""

_SET_EPOCH = "alter table changes alter epoch set default {epoch:d}"

_SET_BACK = """
update cursors set epoch = 0, xid = '0', seq = 0 where stream = $1
"""

# of the first rows alone: they are old enough or the rest is not, and a look costs the same however many there are
_FORGET = """
with first as (
  select epoch, xid, seq, written_at from changes
  where (epoch, xid, seq) <= ($1::int, $2::text::xid8, $3::bigint)
  order by epoch, xid, seq limit $5
)
delete from changes c using first f
where (c.epoch, c.xid, c.seq) = (f.epoch, f.xid, f.seq) and f.written_at < $4
"""

_WHERE = "select epoch, xid::text as xid, seq, applied from cursors where stream = $1"

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

_WAITING = f"""
select count(*) as rows, min(written_at) as oldest,
       count(*) filter (where xid >= pg_snapshot_xmin(pg_current_snapshot()) and epoch >= ({_EPOCH})) as held_back
from changes where (epoch, xid, seq) > ($1::int, $2::text::xid8, $3::bigint)
"""

# the transaction the horizon stands at, whichever database of the cluster it is in; whose it is, Postgres
# tells only to whom it may (pg_read_all_stats)
_HOLDING = """
select h.* from (
  select xact_start as since, backend_xid as xid, datname as database, pid, application_name as application
  from pg_stat_activity where backend_xid is not null and pid <> pg_backend_pid()
  union all
  select prepared, transaction, database, null, 'prepared transaction ' || gid from pg_prepared_xacts
) h
order by age(h.xid) desc limit 1
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


@dataclass(frozen=True)
class Holding:
    """The oldest transaction that writes: what committed after it began cannot be read until it ends."""

    since: datetime | None  # unknown where Postgres does not tell us
    database: str | None
    pid: int | None  # none: a prepared transaction, which no process has
    application: str | None


@dataclass(frozen=True)
class Waiting:
    """What lies behind a cursor."""

    rows: int
    oldest: datetime | None  # when it was written
    held_back: int  # of the rows: committed, and not to be read yet
    holding: Holding | None  # what holds them back


async def read_page(conn: Any, after: Cursor, limit: int) -> list[Change]:
    """At most ``limit`` changes behind ``after``, in commit-safe order.

    Raises:
        StoreRestored: nothing can ever be read behind it, for transactions are counted anew.
    """
    rows = await conn.fetch(_PAGE, after.epoch, after.xid, after.seq, limit)
    if not rows and await conn.fetchval(_AHEAD, after.epoch, after.xid):
        raise StoreRestored(
            "A store was restored from a backup and counts its transactions anew: run `caravan sync restored`, "
            "so that nothing written since is passed by"
        )
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


async def where(conn: Any, stream: str) -> tuple[Cursor, int]:
    """The cursor of ``stream``, not locked, and how many changes it has applied."""
    row = await conn.fetchrow(_WHERE, stream)
    if row is None:
        return Cursor(), 0
    return Cursor(row["epoch"], row["xid"], row["seq"]), row["applied"]


async def waiting(conn: Any, after: Cursor) -> Waiting:
    """What lies behind ``after``: the lag, and what it is due to."""
    row = await conn.fetchrow(_WAITING, after.epoch, after.xid, after.seq)
    held = await holding(conn) if row["held_back"] else None
    return Waiting(row["rows"], row["oldest"], row["held_back"], held)


async def holding(conn: Any) -> Holding | None:
    """The oldest transaction that writes; None: none does."""
    held = await conn.fetchrow(_HOLDING)
    if held is None:
        return None
    return Holding(held["since"], held["database"], held["pid"], held["application"])


async def forget(conn: Any, upto: Cursor, before: datetime, limit: int) -> int:
    """Remove changes written before an instant that the reader of this outbox has behind it.

    Args:
        conn: of the store whose outbox it is.
        upto: as far as its slowest reader has come.
        before: younger ones stay, for a store that is restored and reads them once more.
        limit: how many at most.

    Returns:
        How many went.
    """
    done: str = await conn.execute(_FORGET, upto.epoch, upto.xid, upto.seq, before, limit)
    return int(done.split()[-1])


async def begin_epoch(conn: Any, beyond: Cursor) -> int:
    """Begin a new epoch, in the caller's transaction: what is written from now on comes after all that is there.

    Args:
        conn: of the store whose outbox it is.
        beyond: of a reader who may have been in a later epoch than a restored store knows of.
    """
    await conn.execute("lock table changes in access exclusive mode")  # so all of it has committed
    epoch = max(await conn.fetchval(_EPOCH), beyond.epoch) + 1
    await conn.execute(_SET_EPOCH.format(epoch=epoch))
    return int(epoch)


async def set_back(conn: Any, stream: str) -> None:
    """Have the reader begin with the first change that is still there."""
    await conn.execute(_SET_BACK, stream)


async def nudge(conn: Any) -> None:
    """Wake readers of this store's outbox when the transaction commits."""
    await conn.execute(f"notify {CHANNEL}")
