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
from caravan.platform.audiences import AudienceOf, StoredAudience
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
#: what of an account other accounts of the same people may be in or out of an audience by
TOUCHING_BESIDE = ("account", "relation", "opportunity")


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


@dataclass(frozen=True)
class _Asked:
    """Whom a page may have brought into an audience of accounts, or out of it: what that depends on."""

    accounts: _AccountsTouched
    about_events: set[str]  # audiences
    looking_beside: set[str]
    beside: list[int]  # other accounts of the people of those whose records are others

    def of(self, audiences: Iterable[str]) -> list[int]:
        """Whom the page may have brought into one of these audiences, or out of it."""
        asked = set(self.accounts.changed)
        if not self.about_events.isdisjoint(audiences):
            asked.update(self.accounts.happened_to)
        if not self.looking_beside.isdisjoint(audiences):
            asked.update(self.beside)
        return sorted(asked)


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
        members: dict[str, list[int]] = {one["audience"]: [] for one in (*journeys, *jobs)}
        asked = await _asked(conn, page, accounts, said, {*members, *named})
        for audience in sorted(members):
            account_ids = asked.of([audience])
            await audiences.evaluate(conn, audience, said, as_of, account_ids)
            members[audience] = await _members_among(conn, audience, account_ids)
        everyone = asked.of([*members, *named])
        people: list[int] = []
        if of_people := [audience for audience, of in named.items() if of == "people"]:
            people = sorted(
                {
                    *await _touched(conn, page, "people"),
                    *await people_among(conn, asked.of(of_people)),
                }
            )
        for audience, of in named.items():
            if audience not in members:
                ids = asked.of([audience]) if of == "accounts" else people
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


async def _asked(
    conn: Any,
    page: Sequence[Change],
    accounts: _AccountsTouched,
    said: Mapping[str, StoredAudience],
    in_use: set[str],
) -> _Asked:
    """Accounts beside are looked up only where an audience in use asks for them."""
    looking_beside = audiences.looking_beside(said) & in_use
    beside: list[int] = []
    if looking_beside:
        ids = _ids(page, TOUCHING_BESIDE)
        beside = [row["id"] for row in await sql.fetch(conn, "accounts_beside", **ids)]
    return _Asked(
        accounts,
        about_events=audiences.about_events(said) if accounts.happened_to else set(),
        looking_beside=looking_beside,
        beside=beside,
    )


def _of_records(page: Sequence[Change]) -> list[Change]:
    return [change for change in page if change.entity != "activity"]


async def _touched(conn: Any, page: Sequence[Change], of: AudienceOf) -> list[int]:
    """The accounts, or the people, that changed records belong to."""
    if not page:
        return []
    rows = await sql.fetch(conn, f"touched_{of}", **_ids(page, TOUCHING[of]))
    return sorted(row["id"] for row in rows)


def _ids(page: Sequence[Change], entities: Sequence[str]) -> dict[str, list[int]]:
    """The changed records of these kinds, as the statements name them."""
    ids: dict[str, list[int]] = {f"{entity}_ids": [] for entity in entities}
    for change in page:
        if change.entity in entities:
            ids[f"{change.entity}_ids"].append(change.id)
    return ids
