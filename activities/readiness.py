"""What must be true before a worker starts; otherwise one sentence that says what to do."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from caravan import search_attributes
from caravan.database.migrations import CORE
from caravan.database.pool import connect
from caravan.engage import subscriptions
from caravan.platform import sandboxes
from caravan.settings import Settings

PATIENCE, PAUSE = 5.0, 0.5  # seconds


class NotReady(Exception):
    """A worker would only fail here; the message says what to do."""


async def ready_subscriptions(client: Client, settings: Settings) -> list[str]:
    """The subscriptions to work for.

    Raises:
        NotReady: a search attribute is missing, or a store is not up to date.
        NotOurs: the schema of a subscription belongs to another pair.
        StoreUnreachable: a store does not answer; names its setting.
    """
    await _search_attributes(client, settings.temporal_address)
    for _ in range(int(PATIENCE / PAUSE)):
        # it may be that somebody brings them up to date right now
        with suppress(NotReady):
            return await ready_pairs(settings.platform_dsn, settings.engage_dsn)
        await asyncio.sleep(PAUSE)
    return await ready_pairs(settings.platform_dsn, settings.engage_dsn)


async def ready_pairs(platform_dsn: str, engage_dsn: str) -> list[str]:
    """The subscriptions whose stores are up to date and each other's; raises as above."""
    try:
        pairs = await sandboxes.pairings(platform_dsn)
        for pair in pairs:
            for setting, dsn, schema, directory in (
                ("PLATFORM_DSN", platform_dsn, sandboxes.schema_of_sandbox(pair["sandbox"]), sandboxes.MIGRATIONS),
                ("ENGAGE_DSN", engage_dsn, subscriptions.schema_of(pair["munchkin"]), subscriptions.MIGRATIONS),
            ):  # fmt: skip
                missing = await _missing_migrations(setting, dsn, schema, directory)
                if missing:
                    raise NotReady(
                        f"The schema {schema} of {setting} lacks {missing[0]}"
                        + (f" and {len(missing) - 1} more" if missing[1:] else "")
                        + ": run `caravan apply DIR` to bring the pair "
                        f"{pair['sandbox']}/{pair['munchkin']} up to date"
                    )
            await _check_pair(engage_dsn, pair)
    except asyncpg.PostgresError as error:
        raise NotReady(f"A store cannot be used (PLATFORM_DSN, ENGAGE_DSN): {error}") from None
    return [pair["munchkin"] for pair in pairs]


async def _missing_migrations(setting: str, dsn: str, schema: str, directory: Path) -> list[str]:
    wanted = [CORE.stem, *sorted(file.stem for file in directory.glob("*.sql"))]
    conn = await connect(dsn, setting)
    try:
        if await conn.fetchval("select to_regclass($1)", f'"{schema}".migrations') is None:
            return wanted
        done = {row["name"] for row in await conn.fetch(f'select name from "{schema}".migrations')}
    finally:
        await conn.close()
    return [name for name in wanted if name not in done]


async def _check_pair(dsn: str, pair: Any) -> None:
    conn = await connect(dsn, "ENGAGE_DSN")
    try:
        await subscriptions.check_pair(conn, pair["munchkin"], pair["sandbox"])
    finally:
        await conn.close()


async def _search_attributes(client: Client, address: str) -> None:
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError:
        return  # not everybody may ask; who may start workflows will hear of it then
    missing = {
        name: kind
        for name, kind in search_attributes.KINDS.items()
        if name not in known.custom_attributes
    }
    if missing:
        commands = [
            # one each: of several names in one command only the first is created
            f"temporal operator search-attribute create --namespace {client.namespace} "
            f"--address {address} --name {name} --type {kind}"
            for name, kind in missing.items()
        ]
        raise NotReady(
            f"The namespace {client.namespace} lacks the search attributes {', '.join(missing)}: run "
            f"`{' && '.join(commands)}`"
        )
