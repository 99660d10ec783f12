"""Keys by which other systems send events in: shown once, kept as a digest, revoked by name."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.engage import sql

_SEPARATOR = "."
LONGEST_KEY = 200


@dataclass(frozen=True)
class EventKey:
    """A key as its owner sees it: never again after it was made."""

    name: str
    created_at: datetime
    revoked_at: datetime | None


class KeyNameTaken(Exception):
    """There is a key of this name that is not revoked."""


async def new_key(pool: Any, munchkin: str, name: str, at: datetime) -> str:
    """Make a key for a subscription; it leads with the subscription, for the gateway serves them all.

    Raises:
        KeyNameTaken: revoke the other first, or name this one otherwise.
    """
    key = f"{munchkin}{_SEPARATOR}{secrets.token_urlsafe(32)}"
    if await sql.fetchval(pool, "add_event_key", name=name, digest=_digest(key), at=at) is None:
        raise KeyNameTaken(f"There is a key {name} already: revoke it, or choose another name")
    return key


async def keys(pool: Any) -> list[EventKey]:
    """All keys there ever were, the oldest first."""
    return [EventKey(**row) for row in await sql.fetch(pool, "event_keys")]


async def revoke(pool: Any, name: str, at: datetime) -> bool:
    """Revoke a key by its name; returns whether there was one."""
    return await sql.fetchval(pool, "revoke_event_key", name=name, at=at) is not None


async def holder(pool: Any, key: str) -> str | None:
    """The name of a key; None where it is none, or no more."""
    name: str | None = await sql.fetchval(pool, "event_key_holds", digest=_digest(key))
    return name


def subscription_of(key: str) -> str | None:
    """The subscription a key leads with; None where it looks like none of ours."""
    munchkin, separator, rest = key.rpartition(_SEPARATOR)
    return munchkin if separator and munchkin and rest and len(key) <= LONGEST_KEY else None


def _digest(key: str) -> bytes:
    # random enough that a plain digest cannot be undone
    return hashlib.sha256(key.encode()).digest()
