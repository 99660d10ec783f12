"""Keyed hashes of who was erased: nobody comes back by a file that does not know, and no list of who they were is kept.

HMAC-SHA-256 (RFC 2104) under a key that no store holds: whoever has a store alone cannot try names against it.
"""

import hmac
from collections.abc import Collection
from hashlib import sha256
from typing import Any

from caravan.database.errors import StoreError

_NOTED = "select exists (select from erasures)"
_OTHER_KEYS = "select count(*) from erasures where key_id <> $1"
_AMONG = "select hash from erasures where hash = any($1::bytea[])"
_NUMBER = "select person_id from erasures where hash = any($1::bytea[]) limit 1"
_NOTE = """
insert into erasures (hash, of, key_id, person_id, at)
select h.hash, h.of, $1, $2, $3 from unnest($4::bytea[], $5::text[]) as h (hash, of)
on conflict do nothing
"""


class ErasureKeyMissing(StoreError):
    """Who was erased cannot be told: the key it was noted with is not the one that is set."""


class ErasureKey:
    """Makes the hashes. What is hashed is normalised before, by who knows how."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.id = self._hash("key", "")[:8].hex()

    def person(self, external_id: str) -> bytes:
        return self._hash("person", external_id)

    def email(self, address_key: str) -> bytes:
        return self._hash("email", address_key)

    def _hash(self, what: str, text: str) -> bytes:
        return hmac.digest(self._secret, f"{what}\x00{text}".encode("utf-8", "replace"), sha256)


async def note(
    conn: Any,
    key: ErasureKey,
    person_id: int,
    external_ids: Collection[str],
    address_keys: Collection[str],
    at: Any,
) -> None:
    """Note that these are erased, in the caller's transaction. Noting it again changes nothing."""
    people = [(key.person(one), "person") for one in sorted(external_ids)]
    emails = [(key.email(one), "email") for one in sorted(address_keys)]
    hashes, of = zip(*(people + emails), strict=True)
    await conn.execute(_NOTE, key.id, person_id, at, list(hashes), list(of))


async def in_force(conn: Any, key: ErasureKey | None) -> ErasureKey | None:
    """The key to ask with, or None where nobody was erased.

    Raises:
        ErasureKeyMissing: somebody was, and this is not the key it was noted with.
    """
    if not await conn.fetchval(_NOTED):
        return None
    if key is None or await conn.fetchval(_OTHER_KEYS, key.id):
        raise ErasureKeyMissing(
            "People were erased from these stores, and who they were is told by the key that noted it: set "
            "ERASURE_KEY to that one"
        )
    return key


async def among(conn: Any, hashes: Collection[bytes]) -> set[bytes]:
    """Those of these hashes that are of somebody erased."""
    return {row["hash"] for row in await conn.fetch(_AMONG, list(hashes))}


async def number_of(conn: Any, hashes: Collection[bytes]) -> int | None:
    """The number of whoever was erased with one of these hashes."""
    number: int | None = await conn.fetchval(_NUMBER, list(hashes))
    return number
