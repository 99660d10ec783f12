"""Changing the state of a journey: one truth, the store's row, which everything else follows.

A command is about a slug: all its versions that run, or the latest, which says why not. Each may be
given again, also after it was interrupted.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from caravan.engage import admissions, sql, wakeups
from caravan.engage.standstill import nothing_is_leaving, those_before_have_ended
from caravan.journeys.life_cycle import RUNNING, Command, NoJourney, Refused, check

#: accounts woken or taken out in one transaction
PAGE = 1000


@dataclass(frozen=True)
class Changed:
    """What a command came to."""

    slug: str
    versions: tuple[int, ...]  # those it changed; none: it was so already
    over: bool = True  # nothing that does not know of it runs any more


async def pause(pool: Any, slug: str, at: datetime) -> Changed:
    """Nobody enters and nothing begins from the moment this returns; waits and listens go on.

    Whatever did not see the pause has ended by then: it waits for the transactions that began before, and
    for messages that are about to leave.

    Raises:
        Refused: no version runs.
        NoJourney: there is none.
    """
    async with pool.acquire() as conn:
        async with conn.transaction():
            ids = _addressed(slug, "pause", await _versions(conn, slug))
            rows = await sql.fetch(conn, "pause_journeys", journey_ids=ids, at=at)
        over = await those_before_have_ended(conn)
        await nothing_is_leaving(conn, slug)
    return replace(_changed(slug, rows), over=over)


async def resume(pool: Any, slug: str, at: datetime) -> Changed:
    """The held go on in order of their arrival, and who qualifies enters again.

    What has failed until now no longer counts against the journey (``caravan.engage.failing``).
    """
    async with pool.acquire() as conn, conn.transaction():
        ids = _addressed(slug, "resume", await _versions(conn, slug))
        rows = await sql.fetch(conn, "resume_journeys", journey_ids=ids, at=at)
        await conn.execute(f"notify {admissions.CHANNEL}")
    await wake_held(pool)
    return _changed(slug, rows)


async def wake_held(pool: Any) -> int:
    """Wake who is held and may go on; also what a resume that died has left."""
    woken = 0
    while True:
        async with pool.acquire() as conn, conn.transaction():
            page = len(await sql.fetch(conn, "wake_held", limit=PAGE))
            if page:
                await wakeups.nudge(conn)
        woken += page
        if page < PAGE:
            return woken


async def close(pool: Any, slug: str) -> Changed:
    """Nobody enters any more; those inside travel on."""
    async with pool.acquire() as conn, conn.transaction():
        ids = _addressed(slug, "close", await _versions(conn, slug))
        rows = await sql.fetch(conn, "set_journeys_state", journey_ids=ids, state="closed")
        await sql.execute(conn, "drop_vain_admissions")
        await sql.execute(conn, "finish_empty")
    return _changed(slug, rows)


async def abort(pool: Any, slug: str) -> Changed:
    """Nobody enters any more, and who is inside is to be taken out by ``take_out``."""
    async with pool.acquire() as conn, conn.transaction():
        ids = _addressed(slug, "abort", await _versions(conn, slug))
        rows = await sql.fetch(conn, "set_journeys_state", journey_ids=ids, state="aborted")
        await sql.execute(conn, "drop_vain_admissions")
    return _changed(slug, rows)


async def take_out(pool: Any, slug: str | None, at: datetime) -> AsyncIterator[list[Any]]:
    """Close the traversals of aborted journeys, and of versions published over with `--inside exit`.

    Page by page; yields their `id`, `workflow_id` and `reason`. Nothing of a traversal commits once its
    page has: every claim reads the epoch under its lock. ``nothing_is_leaving`` waits for what has been given
    its word before.
    """
    while True:
        async with pool.acquire() as conn, conn.transaction():
            rows = await sql.fetch(conn, "to_be_taken_out", slug=slug, limit=PAGE)
            for reason in sorted({row["reason"] for row in rows}):
                ids = [row["id"] for row in rows if row["reason"] == reason]
                await sql.fetch(conn, "close_traversals", traversal_ids=ids, reason=reason, at=at)
                # should the caller die before it has ended their workflows, they find it out themselves
                await wakeups.queue(conn, ids, reason)
        if rows:
            yield list(rows)
        if len(rows) < PAGE:
            return


async def delete(pool: Any, slug: str, at: datetime) -> Changed:
    """A draft goes; versions that have ended leave every list, what they sent stays told.

    Where the latest version is a draft, it alone is deleted.
    """
    async with pool.acquire() as conn, conn.transaction():
        versions = await _versions(conn, slug)
        if versions[-1]["state"] == "draft":
            ids = [versions[-1]["id"]]
            await sql.execute(conn, "delete_campaigns", journey_ids=ids)
            return _changed(slug, await sql.fetch(conn, "delete_drafts", journey_ids=ids))
        for row in reversed(versions):
            check("delete", slug, row["state"])
        ids = [row["id"] for row in versions]
        return _changed(slug, await sql.fetch(conn, "delete_journeys", journey_ids=ids, at=at))


async def _versions(conn: Any, slug: str) -> list[Any]:
    versions = await sql.fetch(conn, "lock_versions", slug=slug)
    if not versions:
        raise NoJourney(slug)
    return list(versions)


def _addressed(slug: str, command: Command, versions: list[Any]) -> list[int]:
    """The versions a command changes: those that run, or none where it is so already."""
    running = [row for row in versions if row["state"] in RUNNING]
    changed, refused = [], None
    for row in running or versions[-1:]:
        try:
            if check(command, slug, row["state"]):
                changed.append(row["id"])
        except Refused as error:
            refused = error
    if refused is not None and not changed:
        raise refused
    return changed


def _changed(slug: str, rows: list[Any]) -> Changed:
    return Changed(slug, tuple(sorted(row["version"] for row in rows)))
