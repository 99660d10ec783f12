"""Connections: one pool per process and schema, and single ones for set-up.

``search_path`` is a server setting of each connection, so no statement names a schema; JSON columns
are decoded to Python values; a statement cache can be switched off for poolers.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
from pydantic_core import PydanticSerializationError, from_json, to_json, to_jsonable_python

from caravan.database.errors import StoreUnreachable

Pool = asyncpg.Pool

#: ends any transaction of ours that hangs; application work is done in pages well below it
TRANSACTION_TIMEOUT = "60s"


async def _prepare(conn: Any) -> None:
    for kind in ("json", "jsonb"):
        await conn.set_type_codec(kind, encoder=_json, decoder=_from_json, schema="pg_catalog")


def _json(value: Any) -> str:
    """A fifth of the standard library's time, which every record and every step would pay."""
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        # deeper than 250; else it says what cannot be written
        return json.dumps(value, default=to_jsonable_python)


def _from_json(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)  # deeper than 200


async def _leave_clean(conn: Any) -> None:
    """Nothing of ours outlives its transaction, so the round trip of a full reset is saved.

    What listens on a connection stops listening by itself (``activities/nudges.py``).
    """
    if conn.is_in_transaction():
        await conn.reset()


async def open_pool(
    dsn: str,
    schema: str,
    *,
    max_size: int = 10,
    statement_cache: bool = True,
    setting: str = "DSN",
    application_name: str = "caravan",
) -> Pool:
    """Open a pool whose connections see ``schema`` alone.

    Raises:
        StoreUnreachable: names the address and the setting that holds it.
    """
    with _answering(dsn, setting):
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=max_size,
            init=_prepare,
            reset=_leave_clean,
            statement_cache_size=200 if statement_cache else 0,
            server_settings={
                "search_path": f'"{schema}"',
                "application_name": application_name,
                "transaction_timeout": TRANSACTION_TIMEOUT,
                "jit": "off",
                "timezone": "UTC",
            },
        )


async def connect(dsn: str, setting: str) -> asyncpg.Connection:
    """One connection, which sees no schema of ours yet.

    Raises:
        StoreUnreachable: names the address and the setting that holds it.
    """
    with _answering(dsn, setting):
        return await asyncpg.connect(dsn)


@contextmanager
def _answering(dsn: str, setting: str) -> Iterator[None]:
    try:
        yield
    except (OSError, asyncpg.CannotConnectNowError, asyncpg.InvalidCatalogNameError) as error:
        raise StoreUnreachable(_unreachable(dsn, setting, error)) from error


def _unreachable(dsn: str, setting: str, error: Exception) -> str:
    """One sentence that names the address (never the password) and the setting."""
    parts = urlsplit(dsn)
    where = parse_qs(parts.query).get("host", [parts.netloc.rpartition("@")[2]])[0]
    return f"No Postgres answers at {where}{parts.path} (setting {setting}): {_why(error)}"


def _why(error: Exception) -> str:
    """Why not, in words; the driver's own where they say more than that nobody is there."""
    match error:
        case FileNotFoundError() | ConnectionRefusedError():
            return "nothing runs there"
        case TimeoutError():
            return "no answer in time"
        case socket.gaierror():
            return "no machine of that name is known"
        case OSError():
            return error.strerror or str(error)
    return str(error)
