"""The down-flow: what changed in the Platform and concerns the engage store.

A page of the outbox names the accounts touched. Their audiences are looked at again, and the accounts
that some journey wants, or that the engage store holds, are exported as they are now. Doing a page
twice does no harm: it brings today's data, and what is there already is left alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.database.outbox import SYNC, TIME, Change, Cursor, read_page
from caravan.platform import audiences, segments, sql
from caravan.platform.audiences import AudienceOf
from caravan.platform.export import Bundle, Here, export_accounts

#: the engage store's cursor in this outbox
STREAM = "down"
#: changes, so accounts at most: all that belongs to them, with the histories of newcomers, is in memory at once
PAGE = 1000
#: what of which something may change who is in an audience of these
TOUCHING: dict[AudienceOf, tuple[str, ...]] = {
    "accounts": ("account", "person", "relation", "opportunity", "activity"),
    "people": ("person", "relation", "activity"),
}


@dataclass(frozen=True)
class Concern:
    """Whom a page of changes concerns."""

    everyone: list[int]  # accounts looked at, also those that only time has put in question
    people: list[int]  # theirs, where an audience of people was asked about
    touched: list[int]  # accounts whose records the Platform changed by itself
    happened_to: list[int]  # accounts that something happened to: their records are as they were
    members: dict[str, list[int]]  # by audience in use: which of the page's accounts are in it now
    activity_ids: list[int]


@dataclass(frozen=True)
class _AccountsTouched:
    """The accounts that a page of changes is about."""

    changed: list[int]  # their records are others
    changed_there: list[int]  # by the Platform itself
    happened_to: list[int]

    def asked(self, audiences: Iterable[str], about_events: set[str]) -> list[int]:
        """Whom the page may have brought into one of these audiences, or out of it."""
        if about_events.isdisjoint(audiences):
            return self.changed
        return sorted({*self.changed, *self.happened_to})


async def read(pool: Any, after: Cursor, as_of: datetime, limit: int = PAGE) -> list[Change]:
    """The next changes, among them memberships that the passing of time has put in question."""
    async with pool.acquire() as conn:
        await sql.execute(conn, "announce_due_flips", at=as_of, limit=limit)
        return await read_page(conn, after, limit)


async def look_again(
    pool: Any,
    page: Sequence[Change],
    journeys: Sequence[Any],
    as_of: datetime,
    named: Mapping[str, str] | None = None,
    jobs: Sequence[Any] = (),
) -> Concern:
    """Evaluate audiences for the accounts of a page, and extend the running journeys' segments.

    Args:
        pool: of the sandbox.
        page: the changes.
        journeys: those whose audiences it is about.
        as_of: domain time.
        named: other audiences that somebody asks for, and whether each is of accounts or of people.
        jobs: what else brings in the accounts of an audience, and has no segment.
    """
    named = named or {}
    # what the engage store itself sent up need not come down again, nor what only time changed
    down = [change for change in page if change.origin not in (SYNC, TIME)]
    async with pool.acquire() as conn, conn.transaction():
        accounts = await _accounts_touched(conn, page, down)
        said = await audiences.in_force(conn)
        about_events = audiences.about_events(said) if accounts.happened_to else set()
        members: dict[str, list[int]] = {one["audience"]: [] for one in (*journeys, *jobs)}
        for audience in sorted(members):
            asked = accounts.asked([audience], about_events)
            await audiences.evaluate(conn, audience, said, as_of, asked)
            members[audience] = await _members_among(conn, audience, asked)
        everyone = accounts.asked([*members, *named], about_events)
        people: list[int] = []
        if "people" in named.values():
            people = sorted(
                {*await _touched(conn, page, "people"), *await people_among(conn, everyone)}
            )
        for audience, of in named.items():
            if audience not in members:
                ids = accounts.asked([audience], about_events) if of == "accounts" else people
                await audiences.evaluate(conn, audience, said, as_of, ids)
        for journey in journeys:
            audience = journey["audience"]
            if members[audience]:
                await segments.extend(
                    conn, journey["slug"], journey["version"], audience, as_of, members[audience]
                )
        return Concern(
            everyone=everyone,
            people=people,
            touched=accounts.changed_there,
            happened_to=accounts.happened_to,
            members=members,
            activity_ids=[change.id for change in down if change.entity == "activity"],
        )


async def export(
    pool: Any, account_ids: Sequence[int], here: Here | None = None, news: Sequence[int] = ()
) -> Bundle:
    """The accounts as they are now, read in one snapshot."""
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        return await export_accounts(conn, account_ids, here or Here(), news)


async def people_among(conn: Any, account_ids: Sequence[int]) -> list[int]:
    """The people of accounts."""
    return [
        row["id"] for row in await sql.fetch(conn, "people_among", account_ids=list(account_ids))
    ]


async def _members_among(conn: Any, audience: str, subject_ids: Sequence[int]) -> list[int]:
    if not subject_ids:
        return []
    rows = await sql.fetch(
        conn, "members_among", audiences=[audience], subject_ids=list(subject_ids)
    )
    return [row["subject_id"] for row in rows]


async def _accounts_touched(
    conn: Any, page: Sequence[Change], down: Sequence[Change]
) -> _AccountsTouched:
    # also what the engage store told of itself: audiences may ask for it
    happened = [change for change in page if change.entity == "activity"]
    return _AccountsTouched(
        changed=await _touched(conn, _of_records(page), "accounts"),
        changed_there=await _touched(conn, _of_records(down), "accounts"),
        happened_to=await _touched(conn, happened, "accounts"),
    )


def _of_records(page: Sequence[Change]) -> list[Change]:
    return [change for change in page if change.entity != "activity"]


async def _touched(conn: Any, page: Sequence[Change], of: AudienceOf) -> list[int]:
    """The accounts, or the people, that changed records belong to."""
    if not page:
        return []
    ids: dict[str, list[int]] = {entity: [] for entity in TOUCHING[of]}
    for change in page:
        if change.entity in ids:
            ids[change.entity].append(change.id)
    named = {f"{entity}_ids": those for entity, those in ids.items()}
    rows = await sql.fetch(conn, f"touched_{of}", **named)
    return sorted(row["id"] for row in rows)
