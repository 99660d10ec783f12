"""Lists as the engage store keeps them: what documents name, and what journeys have changed since.

A document of a static list is compared with what it named before: who is new in it joins, who is gone
from it leaves, and nobody else is touched. So applying it again undoes nothing that a journey did.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caravan.engage import admissions, sql
from caravan.journeys.conditions.naming import ListOf, audiences_named
from caravan.journeys.documents import ListDocument


@dataclass(frozen=True)
class Stored:
    """What came of storing a list's document."""

    absent: list[str] = field(default_factory=list)  # outside ids of those not in this store yet
    changed: set[int] = field(default_factory=set)  # who joined or left by it


async def store(conn: Any, document: ListDocument, at: datetime) -> Stored:
    """Store a list.

    A dynamic one that is new or edited is evaluated by its upkeep (``dynamic_lists``).

    Args:
        conn: of the engage store, in a transaction.
        document: what the workspace says.
        at: domain time.
    """
    of, slug = document.of, document.list
    condition = document.when
    left: list[Any] = []
    await sql.execute(conn, "lock_lists")
    was_dynamic = await sql.fetchval(conn, "list_kind", of=of, slug=slug)
    if was_dynamic is not None and was_dynamic != (condition is not None):
        left += await sql.fetch(conn, "empty_list", of=of, slug=slug)
    await sql.execute(
        conn,
        "store_list",
        of=of,
        slug=slug,
        zone=document.zone,
        condition=condition.model_dump(mode="json") if condition is not None else None,
        audiences=sorted(audiences_named(condition)) if condition is not None else [],
    )
    if condition is not None:
        return Stored(changed={row["subject_id"] for row in left})
    names = list(document.members)
    left += await sql.fetch(conn, f"unname_{of}", slug=slug, names=names)
    await sql.execute(conn, "name_members", of=of, slug=slug, names=names)
    joined = await _settle(conn, of, None, at)
    rows = await sql.fetch(conn, "unsettled_names", of=of, lists=[slug])
    return Stored(
        absent=[row["external_id"] for row in rows],
        changed={row["subject_id"] for row in left} | joined,
    )


async def settle(
    conn: Any, account_ids: Sequence[int], person_ids: Sequence[int], at: datetime
) -> None:
    """Those who came in and are named by a document become members."""
    await _settle(conn, "accounts", account_ids, at)
    await _settle(conn, "people", person_ids, at)


async def add(
    conn: Any, of: ListOf, slug: str, subject_ids: Sequence[int], at: datetime
) -> set[int]:
    """Add to a static list; returns who was not in it."""
    rows = await sql.fetch(
        conn, "add_members", of=of, slug=slug, subject_ids=list(subject_ids), at=at
    )
    joined = [row["subject_id"] for row in rows]
    if of == "accounts":
        await let_in(conn, {slug: joined}, at)
    return set(joined)


async def remove(conn: Any, of: ListOf, slug: str, subject_ids: Sequence[int]) -> set[int]:
    """Remove from a static list; returns who was in it."""
    rows = await sql.fetch(conn, "remove_members", of=of, slug=slug, subject_ids=list(subject_ids))
    return {row["subject_id"] for row in rows}


async def let_in(conn: Any, joined: Mapping[str, Sequence[int]], at: datetime) -> None:
    """Queue accounts that joined lists for the journeys whose audience those are."""
    slugs = [slug for slug, account_ids in joined.items() if account_ids]
    if not slugs:
        return
    for journey in await sql.fetch(conn, "list_journeys", lists=slugs):
        account_ids = joined[journey["audience"]]
        await admissions.queue(conn, journey, account_ids, at)


async def listed_since(conn: Any, slug: str, account_ids: Sequence[int]) -> dict[int, datetime]:
    """Which of these accounts are in a list, and since when without a break."""
    rows = await sql.fetch(conn, "listed_since", list=slug, account_ids=list(account_ids))
    return {row["subject_id"]: row["qualified_at"] for row in rows}


async def unsettled(conn: Any, slugs: Iterable[str]) -> list[str]:
    """The outside ids of accounts that these lists name and that are not in this store yet."""
    rows = await sql.fetch(conn, "unsettled_names", of="accounts", lists=sorted(slugs))
    return [row["external_id"] for row in rows]


async def _settle(conn: Any, of: ListOf, ids: Sequence[int] | None, at: datetime) -> set[int]:
    """Returns who joined some list."""
    rows = await sql.fetch(conn, f"settle_{of}", ids=list(ids) if ids is not None else None, at=at)
    if of == "accounts":
        joined: dict[str, list[int]] = {}
        for row in rows:
            joined.setdefault(row["list"], []).append(row["subject_id"])
        await let_in(conn, joined, at)
    return {row["subject_id"] for row in rows}
