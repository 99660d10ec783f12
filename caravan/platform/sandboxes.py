"""Sandboxes of the Platform store, and which subscription each is paired with.

One sandbox per subscription and the reverse (product.md §7.7): the table of pairs has both unique, so the
database decides between rivals. A pair is claimed first and ready last; between the two, its subscription is
bound and loaded up (``caravan/pairing.py``), and nobody works on it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from caravan.database import outbox
from caravan.database.errors import NotOurs
from caravan.database.migrations import migrate
from caravan.database.outbox import Cursor
from caravan.database.pool import connect
from caravan.database.schemas import schema_name
from caravan.platform import sql

MIGRATIONS = Path(__file__).parent / "sql" / "migrations"


@dataclass(frozen=True)
class Claim:
    """A pair as the Platform has it."""

    sandbox: str
    munchkin: str
    pair_id: UUID
    new: bool  # it was made by this claim
    ready: bool
    applied: list[str]  # migrations of the sandbox
    horizon: Cursor  # of the sandbox's outbox: what was told before is behind it


def schema_of_sandbox(sandbox: str) -> str:
    """The schema that holds a sandbox: ``prod`` is ``sandbox_prod``."""
    return schema_name("sandbox", sandbox, "sandbox name")


async def claim(dsn: str, sandbox: str, munchkin: str) -> Claim:
    """Create or upgrade a sandbox, and claim the pair. Claimed again it is the same claim.

    Raises:
        NotOurs: either of the two is paired with another already.
        StoreUnreachable: the Platform database does not answer.
    """
    schema = schema_of_sandbox(sandbox)
    conn = await connect(dsn, "PLATFORM_DSN")
    try:
        await _see_to_the_table(conn)
        async with conn.transaction():
            # waits for a rival who has not committed, and then does nothing
            new = await sql.fetchval(conn, "claim_pair", sandbox=sandbox, munchkin=munchkin)
            rows = await sql.fetch(conn, "pair_of", sandbox=sandbox, munchkin=munchkin)
            ours = [row for row in rows if (row["sandbox"], row["munchkin"]) == (sandbox, munchkin)]
            if len(rows) != 1 or not ours:
                raise NotOurs(_taken([row for row in rows if row not in ours], sandbox, munchkin))
            applied = await migrate(conn, schema, MIGRATIONS)
            await conn.execute(f'set local search_path = "{schema}"')
            return Claim(
                sandbox=sandbox,
                munchkin=munchkin,
                pair_id=ours[0]["pair_id"],
                new=new is not None,
                ready=ours[0]["ready_at"] is not None,
                applied=applied,
                horizon=await outbox.horizon(conn),
            )
    finally:
        await conn.close()


async def make_ready(dsn: str, pair_id: UUID) -> None:
    """From now on the pair is worked on.

    Raises:
        NotOurs: it was unpaired meanwhile.
    """
    if await _execute(dsn, "pair_is_ready", pair_id) == "UPDATE 0":
        raise NotOurs(
            "The two were unpaired meanwhile; `caravan subscription list` says how they stand"
        )


async def make_unready(dsn: str, pair_id: UUID) -> None:
    """From now on nobody begins to work on the pair."""
    await _execute(dsn, "pair_is_not_ready", pair_id)


async def forget(dsn: str, pair_id: UUID) -> None:
    """Give up a pair that is not ready; its sandbox stays with all it holds."""
    await _execute(dsn, "forget_pair", pair_id)


async def upgrade_pairings(dsn: str) -> None:
    """Have the table of pairs know what it knows by now."""
    conn = await connect(dsn, "PLATFORM_DSN")
    try:
        await _see_to_the_table(conn)
    finally:
        await conn.close()


async def pairings(dsn: str, *, unfinished: bool = False) -> list[Any]:
    """The pairs, by subscription.

    Args:
        dsn: of the Platform database.
        unfinished: also those that are not ready, which nobody may work on.
    """
    conn = await connect(dsn, "PLATFORM_DSN")
    try:
        if await conn.fetchval("select to_regclass('public.pairings')") is None:
            return []
        return [row for row in await sql.fetch(conn, "pairings") if unfinished or row["ready"]]
    finally:
        await conn.close()


async def pair_of(dsn: str, munchkin: str) -> Any:
    """The pair of a subscription: its ``sandbox`` and ``pair_id``.

    Raises:
        NotOurs: it belongs to none, or not yet.
    """
    for row in await pairings(dsn, unfinished=True):
        if row["munchkin"] == munchkin:
            if row["ready"]:
                return row
            raise NotOurs(
                f"Subscription {munchkin} and sandbox {row['sandbox']} are half paired: run `caravan "
                f"subscription pair {row['sandbox']} --subscription {munchkin}`, or `unpair`, to the end"
            )
    raise NotOurs(
        f"Subscription {munchkin} is paired with no sandbox: run `caravan apply DIR` or `caravan "
        f"subscription pair SANDBOX --subscription {munchkin}`"
    )


async def unpaired(dsn: str) -> list[str]:
    """The sandboxes that belong to no pair, as their schemas name them."""
    taken = {schema_of_sandbox(row["sandbox"]) for row in await pairings(dsn, unfinished=True)}
    conn = await connect(dsn, "PLATFORM_DSN")
    try:
        schemas = [row["schema"] for row in await sql.fetch(conn, "sandboxes")]
    finally:
        await conn.close()
    return [
        schema.removeprefix("sandbox_").replace("_", "-")
        for schema in schemas
        if schema not in taken
    ]


async def _see_to_the_table(conn: Any) -> None:
    if await sql.fetchval(conn, "pairings_are_there"):
        return
    async with conn.transaction():
        await sql.execute(conn, "take_turns_at_pairings")
        if not await sql.fetchval(conn, "pairings_are_there"):
            await sql.execute(conn, "create_pairings")


async def _execute(dsn: str, query: str, pair_id: UUID) -> str:
    conn = await connect(dsn, "PLATFORM_DSN")
    try:
        return await sql.execute(conn, query, pair_id=pair_id)
    finally:
        await conn.close()


def _taken(rivals: list[Any], sandbox: str, munchkin: str) -> str:
    if not rivals:  # one who had not committed, and has thought better of it since
        return f"{sandbox}/{munchkin} was being paired by another; give it again"
    held = " and ".join(
        f"sandbox {row['sandbox']} is paired with subscription {row['munchkin']}" for row in rivals
    )
    return (
        f"{held[:1].upper()}{held[1:]}; a subscription has one sandbox and the reverse: name another "
        f"than {sandbox}/{munchkin}, or `caravan subscription unpair {rivals[0]['munchkin']}` first"
    )
