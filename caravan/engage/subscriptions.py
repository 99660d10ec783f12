"""Subscriptions: a schema of the engage database each, bound to one sandbox or to none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from caravan.database.errors import NotOurs, StillRuns
from caravan.database.migrations import migrate
from caravan.database.outbox import Cursor
from caravan.database.pool import connect
from caravan.database.queries import Connection
from caravan.database.schemas import schema_name
from caravan.engage import sql
from caravan.journeys.actions import ACTIONS

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"

_SCHEMAS = r"""
select n.nspname as schema from pg_namespace n
where n.nspname like 'munchkin\_%' and to_regclass(quote_ident(n.nspname) || '.pair') is not null
order by n.nspname
"""


@dataclass(frozen=True)
class Bound:
    """What binding a subscription to its sandbox did."""

    applied: list[str]  # migrations
    new: bool  # it belonged to nobody before
    has_records: bool


@dataclass(frozen=True)
class Running:
    """What keeps a subscription from being unpaired."""

    journeys: list[str]
    accounts: int
    messages: int

    def __bool__(self) -> bool:
        return bool(self.journeys or self.accounts or self.messages)

    @property
    def in_words(self) -> str:
        told = [
            f"journeys that run: {', '.join(self.journeys)}" if self.journeys else "",
            f"accounts inside: {self.accounts}" if self.accounts else "",
            f"messages that wait: {self.messages}" if self.messages else "",
        ]
        return "; ".join(filter(None, told))

    def refusing(self, munchkin: str) -> str:
        """Why it stays paired, and what would help."""
        return (
            f"Subscription {munchkin} stays paired while something runs: {self.in_words}. Close or abort its "
            "journeys (`caravan journey close|abort SLUG`) and let what is inside come to its end"
        )


def schema_of(munchkin: str) -> str:
    """The schema that holds a subscription: ``123-ABC-456`` is ``munchkin_123_abc_456``."""
    return schema_name("munchkin", munchkin, "munchkin id")


async def create(dsn: str, munchkin: str) -> list[str]:
    """Create or upgrade a subscription, which belongs to nobody unless it did before.

    Returns:
        The names of the migrations applied; empty when it was up to date.

    Raises:
        NotOurs: its name is written in another case.
        StoreUnreachable: the engage database does not answer.
    """
    async with _in_schema(dsn, munchkin) as conn:
        return await _create(conn, munchkin)


async def provision(
    dsn: str,
    munchkin: str,
    sandbox: str,
    pair_id: UUID | None = None,
    down_from: tuple[str, Cursor] | None = None,
) -> Bound:
    """Create or upgrade the schema of a subscription and bind it to its sandbox.

    Args:
        dsn: of the engage database.
        munchkin: the subscription.
        sandbox: whose it is to be.
        pair_id: what the Platform knows the pair by.
        down_from: name and place of its cursor in the sandbox's outbox; it begins there if it is newly bound.

    Raises:
        NotOurs: the subscription belongs to another sandbox.
        StoreUnreachable: the engage database does not answer.
    """
    async with _in_schema(dsn, munchkin) as conn:
        applied = await _create(conn, munchkin)
        said = {"munchkin": munchkin, "sandbox": sandbox, "pair_id": pair_id}
        new = await sql.fetchval(conn, "bind_pair", **said) is not None
        if not new and pair_id is not None:
            await sql.execute(conn, "note_pair_id", **said)
        await check_pair(conn, munchkin, sandbox, pair_id)
        if new:
            await sql.execute(conn, "forget_audience_copies")
            await sql.execute(conn, "forget_personas")
        if new and down_from is not None:
            stream, at = down_from
            await sql.execute(
                conn, "follow_down_from", stream=stream, epoch=at.epoch, xid=at.xid, seq=at.seq
            )
        return Bound(applied, new, await sql.fetchval(conn, "has_records"))


async def unbind(dsn: str, munchkin: str, pair_id: UUID | None = None) -> None:
    """Let a subscription belong to nobody; it keeps all it holds. Done before, it changes nothing.

    Args:
        dsn: of the engage database.
        munchkin: the subscription.
        pair_id: of the pair that ends; bound to another by now it stays so. None: whichever it is.

    Raises:
        StillRuns: something could go on meanwhile.
    """
    async with _in_schema(dsn, munchkin) as conn:
        bound_to = await sql.fetchval(conn, "lock_pair")
        if pair_id is not None and bound_to not in (None, pair_id):
            return
        if running := await what_runs(conn):
            raise StillRuns(running.refusing(munchkin))
        await sql.execute(conn, "unbind_pair")


async def what_runs(conn: Connection) -> Running:
    """What of a subscription has not come to its end."""
    row = await sql.fetchrow(conn, "what_runs")
    return Running(list(row["journeys"]), row["accounts"], row["messages"])


async def check_pair(
    conn: Connection, munchkin: str, sandbox: str, pair_id: UUID | None = None
) -> None:
    """Refuse to work on a schema that belongs to another pair.

    Raises:
        NotOurs: it does, or to nobody.
    """
    row = await conn.fetchrow(
        f"select p.munchkin, p.sandbox, to_jsonb(p) ->> 'pair_id' as pair_id"
        f' from "{schema_of(munchkin)}".pair p'
    )
    if row is None or (row["munchkin"], row["sandbox"]) != (munchkin, sandbox):
        held = f"{row['munchkin']}/{row['sandbox']}" if row and row["sandbox"] else "nobody"
        raise NotOurs(
            f"Subscription {munchkin} is paired with {held}, not with sandbox {sandbox}; "
            "a subscription has one sandbox: name another munchkin"
        )
    if pair_id is not None and row["pair_id"] not in (None, str(pair_id)):
        raise NotOurs(
            f"Subscription {munchkin} is paired with a sandbox {sandbox} of another Platform database "
            "(setting PLATFORM_DSN); a subscription has one sandbox: name another munchkin"
        )


async def owner(dsn: str, munchkin: str) -> Any:
    """Whose a subscription is and whether it has records; None where there is none of the name."""
    conn = await connect(dsn, "ENGAGE_DSN")
    try:
        schema = schema_of(munchkin)
        if await conn.fetchval("select to_regclass($1)", f'"{schema}".pair') is None:
            return None
        async with conn.transaction():
            await conn.execute(f'set local search_path = "{schema}"')
            row = await sql.fetchrow(conn, "pair")
            return row and dict(row) | {"has_records": await sql.fetchval(conn, "has_records")}
    finally:
        await conn.close()


async def unpaired(dsn: str) -> list[str]:
    """The subscriptions that belong to nobody."""
    return sorted(row["munchkin"] for row in await _pairs(dsn) if row["sandbox"] is None)


async def all_of(dsn: str) -> list[str]:
    """The subscriptions of an engage database, paired or not."""
    return sorted(row["munchkin"] for row in await _pairs(dsn))


async def _pairs(dsn: str) -> list[Any]:
    conn = await connect(dsn, "ENGAGE_DSN")
    try:
        found = []
        for row in await conn.fetch(_SCHEMAS):
            found += await conn.fetch(f'select munchkin, sandbox from "{row["schema"]}".pair')
        return found
    finally:
        await conn.close()


async def _create(conn: Any, munchkin: str) -> list[str]:
    applied = await migrate(conn, schema_of(munchkin), MIGRATIONS)
    await conn.execute(f'set local search_path = "{schema_of(munchkin)}"')
    await sql.execute(conn, "name_subscription", munchkin=munchkin)
    written = (await sql.fetchrow(conn, "pair"))["munchkin"]
    if written != munchkin:
        raise NotOurs(
            f"There is a subscription {written} already, and {munchkin} differs from it in case alone: use its spelling"
        )
    await _know_messages(conn)
    return applied


async def _know_messages(conn: Connection) -> None:
    """Have the schema's queries know which actions send, and by whom."""
    carriers = {name: action.carrier for name, action in ACTIONS.items() if action.carrier}
    await sql.execute(
        conn, "know_messages", actions=list(carriers), carriers=list(carriers.values())
    )


@asynccontextmanager
async def _in_schema(dsn: str, munchkin: str) -> AsyncIterator[Any]:
    """A connection in a transaction, which sees the schema of a subscription."""
    conn = await connect(dsn, "ENGAGE_DSN")
    try:
        async with conn.transaction():
            await conn.execute(f'set local search_path = "{schema_of(munchkin)}"')
            yield conn
    finally:
        await conn.close()
