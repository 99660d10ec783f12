"""Subscriptions: a schema of the engage database each, paired for good with one sandbox."""

from pathlib import Path

from caravan.database.errors import NotOurs
from caravan.database.migrations import migrate
from caravan.database.pool import connect
from caravan.database.queries import Connection
from caravan.database.schemas import schema_name
from caravan.journeys.actions import ACTIONS

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"


def schema_of(munchkin: str) -> str:
    """The schema that holds a subscription: ``123-ABC-456`` is ``munchkin_123_abc_456``."""
    return schema_name("munchkin", munchkin, "munchkin id")


async def provision(dsn: str, munchkin: str, sandbox: str) -> list[str]:
    """Create or upgrade the schema of a subscription and bind it to its sandbox.

    Returns:
        The names of the migrations applied; empty when it was up to date.

    Raises:
        NotOurs: the subscription belongs to another sandbox.
        StoreUnreachable: the engage database does not answer.
    """
    schema = schema_of(munchkin)
    conn = await connect(dsn, "ENGAGE_DSN")
    try:
        async with conn.transaction():
            applied = await migrate(conn, schema, MIGRATIONS)
            await _know_messages(conn, schema)
            await conn.execute(
                f'insert into "{schema}".pair (sandbox, munchkin) values ($1, $2) on conflict do nothing',
                sandbox,
                munchkin,
            )
            await check_pair(conn, munchkin, sandbox)
        return applied
    finally:
        await conn.close()


async def _know_messages(conn: Connection, schema: str) -> None:
    """Have the schema's queries know which actions send, and by whom."""
    carriers = {name: action.carrier for name, action in ACTIONS.items() if action.carrier}
    await conn.execute(
        f'insert into "{schema}".message_kinds as k (action, carrier) select * from unnest($1::text[], $2::text[])'
        " on conflict (action) do update set carrier = excluded.carrier where k.carrier <> excluded.carrier",
        list(carriers),
        list(carriers.values()),
    )


async def check_pair(conn: Connection, munchkin: str, sandbox: str) -> None:
    """Refuse to work on a schema that belongs to another pair.

    Raises:
        NotOurs: it does, or to nobody.
    """
    row = await conn.fetchrow(f'select sandbox, munchkin from "{schema_of(munchkin)}".pair')
    if row is None or (row["munchkin"], row["sandbox"]) != (munchkin, sandbox):
        held = f"{row['munchkin']}/{row['sandbox']}" if row else "nobody"
        raise NotOurs(
            f"Subscription {munchkin} is paired with {held}, not with sandbox {sandbox}; "
            "a subscription has one sandbox: name another munchkin"
        )
