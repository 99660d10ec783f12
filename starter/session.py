"""What a command works with: settings, stores, the subscription it is about, a Temporal client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import typer

from caravan.database.erasures import ErasureKey
from caravan.database.pool import Pool
from caravan.engage import sql
from caravan.engage.plans import load_plan
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.plan import Plan
from caravan.platform.sandboxes import pairings
from caravan.settings import Settings
from caravan.stores import Stores
from starter.errors import UserError

R = TypeVar("R")

SubscriptionOption = Annotated[
    str | None,
    typer.Option(
        "--subscription",
        help="The subscription (munchkin); needed only where there are several.",
        envvar="CARAVAN_SUBSCRIPTION",
    ),
]


@dataclass(frozen=True)
class Session:
    """One subscription and its stores."""

    settings: Settings
    stores: Stores
    munchkin: str

    async def engage(self) -> Pool:
        return await self.stores.engage(self.munchkin)

    async def platform(self) -> Pool:
        return await self.stores.platform(self.munchkin)

    def erasure_key(self) -> ErasureKey | None:
        """What tells who was erased, if it is set."""
        secret = self.settings.erasure_key
        return ErasureKey(secret) if secret else None


@asynccontextmanager
async def open_stores() -> AsyncIterator[tuple[Settings, Stores]]:
    """Settings and stores, closed at the end."""
    settings = Settings.load()
    stores = Stores(
        settings.platform_dsn,
        settings.engage_dsn,
        pool_size=4,
        statement_cache=settings.statement_cache,
    )
    try:
        yield settings, stores
    finally:
        await stores.close()


@asynccontextmanager
async def open_session(subscription: str | None) -> AsyncIterator[Session]:
    """The session of the named subscription, or of the only one there is."""
    async with open_stores() as (settings, stores):
        known = [row["munchkin"] for row in await pairings(settings.platform_dsn)]
        if subscription is not None and subscription not in known:
            raise UserError(
                f"No subscription {subscription}; known: {', '.join(known) or 'none'}. "
                "`caravan apply DIR` creates the one its workspace names"
            )
        if subscription is None and len(known) != 1:
            raise UserError(
                "There is no subscription yet: run `caravan apply DIR` first"
                if not known
                else f"There are several subscriptions; choose one with --subscription: {', '.join(known)}"
            )
        yield Session(settings, stores, subscription or known[0])


async def known_journey(pool: Pool, slug: str) -> list[Any]:
    """The versions of a journey, oldest first."""
    versions = await sql.fetch(pool, "journeys", slug=slug)
    if not versions:
        slugs = {row["slug"] for row in await sql.fetch(pool, "journeys", slug=None)}
        raise UserError(f"No journey {slug}{nearest(slug, slugs)}; `caravan journeys` lists them")
    return list(versions)


async def known_account(pool: Pool, account: str) -> Any:
    """The account of an id, as ``find_account`` has it."""
    found = await sql.fetchrow(pool, "find_account", key=account)
    if found is None:
        raise UserError(
            f"No account {account} in the engage store: accounts come in with the audience of a live journey or of "
            "a buying-group job; those without a name stay in the Platform"
        )
    return found


async def known_person(pool: Pool, person: str, *, remark: str = "") -> Any:
    """The person of an id or an e-mail address, as ``find_person`` has them.

    Args:
        remark: what whoever asked should know besides, where there is nobody.
    """
    found = await sql.fetchrow(pool, "find_person", key=person)
    if found is None:
        raise UserError(
            f"No person {person} in the engage store: people come in with their accounts; those without an e-mail "
            f"address stay in the Platform{remark and '; '}{remark}"
        )
    return found


async def plan_of(pool: Pool, version: Any) -> Plan:
    """The plan that a version of a journey runs by."""
    return await load_plan(pool, version["plan_hash"])


def run_with(subscription: str | None, body: Callable[[Session], Awaitable[R]]) -> R:
    """Run an async command body in a session."""

    async def go() -> R:
        async with open_session(subscription) as session:
            return await body(session)

    return run(go())


def run(body: Coroutine[Any, Any, R]) -> R:
    return asyncio.run(body)
