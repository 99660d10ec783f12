"""Rows and events about somebody who was erased: what brings them from outside asks here, and refuses them."""

from collections.abc import Collection
from typing import Any

from caravan.database import erasures
from caravan.database.erasures import ErasureKey
from caravan.journeys.suppressing import address_key

#: the reason of a row about somebody who was erased; it says no more of them
ERASED = "erased"


async def erased_people(
    conn: Any, key: ErasureKey | None, external_ids: Collection[str]
) -> set[str]:
    """Those of these ids that are of somebody erased.

    Args:
        conn: of the sandbox, in the transaction that writes.
        key: as ERASURE_KEY says; None: it is not set.
        external_ids: which are not known, or about to be.

    Raises:
        ErasureKeyMissing: somebody was erased, and this is not the key it was noted with.
    """
    in_force = await erasures.in_force(conn, key) if external_ids else None
    if in_force is None:
        return set()
    hashes = {one: in_force.person(one) for one in external_ids}
    known = await erasures.among(conn, hashes.values())
    return {one for one, hashed in hashes.items() if hashed in known}


async def erased_addresses(
    conn: Any, key: ErasureKey | None, addresses: Collection[str]
) -> set[str]:
    """Those of these addresses, as they are written, that are of somebody erased; as above."""
    in_force = await erasures.in_force(conn, key) if addresses else None
    if in_force is None:
        return set()
    hashes = {one: in_force.email(address_key(one)) for one in addresses}
    known = await erasures.among(conn, hashes.values())
    return {one for one, hashed in hashes.items() if hashed in known}
