"""Pairing a sandbox with a subscription, and taking the two apart.

The Platform's table of pairs is claimed first, then the subscription is bound to the claim, then what it holds
is loaded up, who was erased from one of the two is erased from the other, and only then is the pair ready. Killed anywhere, it says so in `caravan subscription list`, nobody
works on it, and either of the two verbs goes on from there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns.person_erasure import erase_from_both
from caravan.database import outbox
from caravan.database.erasures import ErasureKey
from caravan.database.errors import NotOurs, StillRuns
from caravan.database.pool import open_pool
from caravan.engage import subscriptions
from caravan.platform import activity_stream, down_flow, sandboxes, sync
from caravan.platform import sql as platform_sql
from caravan.platform.first_load import FirstLoad, Loaded, load_stream
from caravan.platform.merge import Follow
from caravan.stores import BELIEVED_FOR

#: seconds in which every process sees that a pair is none any more, and what it was about has ended: a stream's
#: activity hears of its workflow's end with one of its next heartbeats
LET_GO = BELIEVED_FOR + 10.0
#: seconds for a transaction of somebody else's to end that holds back what is to go up
HELD_FOR = 10.0
#: seconds between two looks whether it has
LOOK_AGAIN = 0.2


@dataclass(frozen=True)
class Databases:
    """The two databases that pairs are made in."""

    platform_dsn: str
    engage_dsn: str


@dataclass(frozen=True)
class Paired:
    """What pairing did."""

    munchkin: str
    sandbox: str
    new: bool  # they were not paired before
    loaded: Loaded


@asynccontextmanager
async def _pools(
    databases: Databases, munchkin: str, sandbox: str
) -> AsyncIterator[tuple[Any, Any]]:
    """The stores of a pair that is not ready, which ``Stores`` gives to nobody."""
    engage = await open_pool(
        databases.engage_dsn, subscriptions.schema_of(munchkin), max_size=2, setting="ENGAGE_DSN"
    )
    try:
        platform = await open_pool(
            databases.platform_dsn,
            sandboxes.schema_of_sandbox(sandbox),
            max_size=2,
            setting="PLATFORM_DSN",
        )
        try:
            yield engage, platform
        finally:
            await platform.close()
    finally:
        await engage.close()


async def pair(
    databases: Databases,
    sandbox: str,
    munchkin: str,
    at: datetime,
    *,
    key: ErasureKey | None = None,
    told: Follow = lambda *_: None,
) -> Paired:
    """Create or upgrade both stores of a pair, and load the subscription up where they are newly paired.

    Args:
        databases: where.
        sandbox: created if it is not there.
        munchkin: the subscription, created if it is not there.
        at: domain time.
        key: as ERASURE_KEY says; needed where somebody was erased from either.
        told: hears how far the load is.

    Raises:
        ErasureKeyMissing: who was erased cannot be told.
        NotOurs: one of the two is paired with another.
        StoreUnreachable: a database does not answer; names its setting.
    """
    await _refuse_anothers(databases, sandbox, munchkin)
    claim = await sandboxes.claim(databases.platform_dsn, sandbox, munchkin)
    try:
        bound = await subscriptions.provision(
            databases.engage_dsn,
            munchkin,
            sandbox,
            claim.pair_id,
            (down_flow.STREAM, claim.horizon),
        )
    except NotOurs:
        if claim.new:
            await sandboxes.forget(databases.platform_dsn, claim.pair_id)
        raise
    if claim.ready and not bound.new:
        return Paired(munchkin, sandbox, new=False, loaded=Loaded())
    async with _pools(databases, munchkin, sandbox) as (engage, platform):
        loaded = await FirstLoad(engage, platform, munchkin, key, at).run(told)
        for number in loaded.to_erase:
            assert key is not None  # who they are is told by it
            await erase_from_both(engage, platform, number, key, at)
    await sandboxes.make_ready(databases.platform_dsn, claim.pair_id)
    return Paired(munchkin, sandbox, new=True, loaded=loaded)


async def unpair(
    databases: Databases,
    munchkin: str,
    at: datetime,
    *,
    stop: Callable[[], Awaitable[None]],
    let_go: float = LET_GO,
    held_for: float = HELD_FOR,
) -> str:
    """Take a pair apart; both keep all they hold.

    What happened in the subscription goes up first. A pair whose unpairing was interrupted is gone on with.

    Args:
        databases: where.
        munchkin: the subscription.
        at: domain time.
        stop: ends what works for the subscription; called twice.
        let_go: seconds for processes to see it.
        held_for: seconds for what is to go up to be let up, by whoever's transaction holds it back.

    Returns:
        The sandbox it was paired with.

    Raises:
        NotOurs: the Platform knows of no such pair.
        StillRuns: journeys run, accounts are inside or messages wait; or something cannot go up yet.
    """
    await sandboxes.upgrade_pairings(databases.platform_dsn)
    known = await sandboxes.pairings(databases.platform_dsn, unfinished=True)
    row = next((row for row in known if row["munchkin"] == munchkin), None)
    if row is None:
        raise NotOurs(f"Subscription {munchkin} is paired with no sandbox")
    async with _pools(databases, munchkin, row["sandbox"]) as (engage, platform):
        if running := await subscriptions.what_runs(engage):
            raise StillRuns(running.refusing(munchkin))
        mark = _taking_apart(munchkin)
        if row["ready"]:  # else its numbers may not agree yet, and nothing has happened in it
            await platform_sql.execute(platform, "note_taking_apart", stream=mark)
        goes_up = await platform_sql.fetchval(platform, "is_being_taken_apart", stream=mark)
        await sandboxes.make_unready(databases.platform_dsn, row["pair_id"])
        await stop()
        await platform_sql.execute(platform, "forget_load", stream=load_stream(munchkin))
        try:
            await subscriptions.unbind(databases.engage_dsn, munchkin, row["pair_id"])
        except StillRuns:  # a journey was published meanwhile
            if row["ready"]:
                await sandboxes.make_ready(databases.platform_dsn, row["pair_id"])
            raise
        # whoever read before that the two belong together may still write for a moment
        await asyncio.sleep(let_go)
        await stop()
        if goes_up:
            await _send_all_up(engage, platform, munchkin, at, held_for)
        await platform_sql.execute(platform, "forget_taking_apart", stream=mark)
    await sandboxes.forget(databases.platform_dsn, row["pair_id"])
    return str(row["sandbox"])


def _taking_apart(munchkin: str) -> str:
    """The name of the cursor that says: this pair was ready, and is being taken apart."""
    return f"apart:{munchkin}"


async def _send_all_up(
    engage: Any, platform: Any, munchkin: str, at: datetime, held_for: float
) -> None:
    """What has happened in a subscription goes up, to the last word.

    Raises:
        StillRuns: a transaction somewhere in the cluster holds some of it back.
    """
    patience = time.monotonic() + held_for
    while True:
        while await sync.drain_page(engage, platform, munchkin, at):
            pass
        if await activity_stream.is_wanted(platform):
            while await activity_stream.tell_page(engage, platform, munchkin, at):
                pass
        lag = await sync.lag(engage, platform, munchkin)
        untold = await activity_stream.untold(engage, platform, munchkin)
        if not lag.rows and not (untold and untold.rows):
            return
        if time.monotonic() >= patience:
            async with engage.acquire() as conn:
                holding = await outbox.holding(conn)
            raise StillRuns(
                f"What happened in subscription {munchkin} has not all gone up: {lag.rows} changes, or activities, "
                f"wait for {sync.held_by(holding)}. Once that has ended, `caravan subscription unpair {munchkin}` "
                "goes on"
            )
        await asyncio.sleep(LOOK_AGAIN)


async def _refuse_anothers(databases: Databases, sandbox: str, munchkin: str) -> None:
    """Before anything is made: the subscription of another sandbox stays what it is."""
    owner = await subscriptions.owner(databases.engage_dsn, munchkin)
    if owner is not None and owner["sandbox"] not in (None, sandbox):
        raise NotOurs(
            f"Subscription {munchkin} is paired with {owner['munchkin']}/{owner['sandbox']}, not with sandbox "
            f"{sandbox}; a subscription has one sandbox: name another munchkin, or `caravan subscription unpair "
            f"{owner['munchkin']}` first"
        )
