"""The audience flow: the segment of a journey's people, the accounts it brings in, and what follows.

Two things bring accounts into the engage store, a journey's first intake and the stream that follows
the Platform's outbox. Each holds the stream's cursor while it reads the Platform and writes here.
Without that an account could come in with what the Platform said before an event, while the stream
passes that event by because the account is not there yet.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from caravan.campaigns import audience_copies, departure, intake
from caravan.campaigns.plans import PlanCache
from caravan.database import outbox
from caravan.engage import admissions, dynamic_lists, lists, sql
from caravan.platform import down_flow, running_imports, segments, whole_evaluation
from caravan.platform import sql as platform_sql
from caravan.platform.export import Here
from caravan.platform.segments import SegmentSize

ACCOUNTS_PAGE = 500


async def build_segment(
    engage: Any, platform: Any, journey_id: int, as_of: datetime
) -> SegmentSize:
    """The first step of a published journey: evaluate its audience and store its people.

    Also the audiences that its conditions name come here now, before anybody walks it.
    """
    journey = await sql.fetchrow(engage, "journey_by_id", id=journey_id)
    async with engage.acquire() as conn, conn.transaction():
        await outbox.lock_cursor(conn, down_flow.STREAM)
        await audience_copies.begin(conn, platform, as_of)
    slug, version, audience = journey["slug"], journey["version"], journey["audience"]
    if journey["of_list"]:
        await dynamic_lists.evaluate(engage, audience, as_of)
        async with platform.acquire() as conn, conn.transaction():
            account_ids = await _listed(engage, conn, audience)
            size = await segments.build_of(conn, slug, version, account_ids, as_of)
    else:
        await whole_evaluation.evaluate_whole(platform, audience, as_of)
        size = await segments.build(platform, slug, version, audience, as_of)
    await sql.execute(
        engage,
        "note_segment",
        id=journey_id,
        accounts=size.accounts,
        people=size.people,
        at=as_of,
    )
    return size


async def bring_in_page(
    engage: Any, platform: Any, plans: PlanCache, journey_id: int, as_of: datetime
) -> int:
    """Bring the next accounts of a journey's audience in and queue them for admission.

    Returns:
        How many; 0 when all are in, now or by an earlier try.
    """
    journey = await sql.fetchrow(engage, "journey_by_id", id=journey_id)
    stream = f"bring-in:{journey_id}"
    async with engage.acquire() as conn, conn.transaction():
        await outbox.lock_cursor(conn, down_flow.STREAM)
        copies = await audience_copies.begin(conn, platform, as_of)
        after = await outbox.lock_cursor(conn, stream)
        page = await _page(conn, platform, journey, after.seq)
        if not page:
            await sql.execute(conn, "note_flow", id=journey_id, at=as_of)
            return 0
        await _hold_those_not_whole(conn, platform, over=[])
        # who is here already is kept up to date by the stream, whose cursor we hold
        held = await _held(conn, page)
        bundle = await down_flow.export(platform, [one for one in page if one not in held])
        gone = await intake.take_in(conn, plans, bundle, as_of)
        await audience_copies.renew(conn, plans, platform, copies, intake.subjects(bundle), as_of)
        await admissions.queue(conn, journey, page, as_of)
        await departure.leave_journeys(conn, gone, as_of)
        await outbox.advance_cursor(conn, stream, outbox.Cursor(seq=page[-1]), len(page), as_of)
    return len(page)


async def follow_page(engage: Any, platform: Any, plans: PlanCache, as_of: datetime) -> int:
    """Take in the next page of the Platform's outbox, and keep up the lists made of what is here.

    Returns:
        How many changes and questions it held.
    """
    followed = await follow(engage, platform, plans, as_of)
    return followed + await dynamic_lists.keep_page(engage, as_of)


async def follow(engage: Any, platform: Any, plans: PlanCache, as_of: datetime) -> int:
    """Take in the next page of the Platform's outbox; returns how many changes it held."""
    over = await running_imports.ended(platform)
    followed, was_last = await _follow(engage, platform, plans, over, as_of)
    if was_last:
        await running_imports.forget(platform, over)
    return followed


async def _follow(
    engage: Any, platform: Any, plans: PlanCache, over: list[int], as_of: datetime
) -> tuple[int, bool]:
    """Take in a page; returns how many changes it held, and whether it was the last."""
    async with engage.acquire() as conn, conn.transaction():
        cursor = await outbox.lock_cursor(conn, down_flow.STREAM)
        page = await down_flow.read(platform, cursor, as_of)
        was_last = len(page) < down_flow.PAGE
        await _hold_those_not_whole(conn, platform, over if was_last else [])
        copies = await audience_copies.begin(conn, platform, as_of)
        if not page:
            return 0, was_last
        # asked for after the page was read: a journey published since has evaluated all of it
        running = await sql.fetch(conn, "running_journeys")
        journeys = [journey for journey in running if not journey["of_list"]]
        jobs = await sql.fetch(conn, "open_buying_group_jobs")
        jobs = [job for job in jobs if job["audience"] in copies]
        concern = await down_flow.look_again(platform, page, journeys, as_of, copies, jobs)
        touched = set(concern.touched)
        wanted = {one for ids in concern.members.values() for one in ids}
        wanted |= await _named(conn, platform, running, concern.everyone)
        held = await _held(conn, {*touched, *wanted, *concern.happened_to})
        followed = sorted(touched & held)
        relations = await sql.fetch(conn, "held_relations", account_ids=followed)
        bundle = await down_flow.export(
            platform,
            sorted(wanted - held) + followed,
            Here(accounts=held, relations={row["id"] for row in relations}),
            news=concern.activity_ids,
        )
        gone = await intake.take_in(conn, plans, bundle, as_of)
        looked_at = [*concern.everyone, *concern.people, *intake.subjects(bundle)]
        await audience_copies.renew(conn, plans, platform, copies, looked_at, as_of)
        for journey in journeys:
            members = concern.members[journey["audience"]]
            if members:
                await admissions.queue(conn, journey, members, as_of)
        await departure.leave_journeys(conn, gone, as_of)
        await outbox.advance_cursor(conn, down_flow.STREAM, page[-1].at, len(page), as_of)
    return len(page), was_last


async def _hold_those_not_whole(conn: Any, platform: Any, over: list[int]) -> None:
    """New accounts of imports that go on wait before the doors of journeys: their people are to come."""
    newest = await running_imports.newest_complete(platform, over)
    await admissions.hold_newer(conn, newest)


async def _page(conn: Any, platform: Any, journey: Any, after: int) -> list[int]:
    """The next accounts of a journey's audience, or of the list that is its audience, by id."""
    audience = journey["audience"]
    if not journey["of_list"]:
        rows = await platform_sql.fetch(
            platform, "member_page", audience=audience, after=after, limit=ACCOUNTS_PAGE
        )
        return [row["subject_id"] for row in rows]
    members = await sql.fetch(
        conn, "list_member_page", list=audience, after=after, limit=ACCOUNTS_PAGE
    )
    ids = {row["subject_id"] for row in members}
    if names := await lists.unsettled(conn, [audience]):
        rows = await platform_sql.fetch(
            platform, "named_page", names=names, after=after, limit=ACCOUNTS_PAGE
        )
        ids |= {row["id"] for row in rows}
    return sorted(ids)[:ACCOUNTS_PAGE]


async def _listed(engage: Any, platform: Any, slug: str) -> list[int]:
    """The accounts in a list, and those its document names that are to come in."""
    ids = {row["subject_id"] for row in await sql.fetch(engage, "list_members_all", list=slug)}
    if names := await lists.unsettled(engage, [slug]):
        rows = await platform_sql.fetch(platform, "named_page", names=names, after=0, limit=None)
        ids |= {row["id"] for row in rows}
    return sorted(ids)


async def _named(
    conn: Any, platform: Any, running: Iterable[Any], account_ids: list[int]
) -> set[int]:
    """Which of these accounts are named by a list that some journey takes its accounts from."""
    slugs = {journey["audience"] for journey in running if journey["of_list"]}
    names = await lists.unsettled(conn, slugs) if slugs else []
    if not names:
        return set()
    rows = await platform_sql.fetch(platform, "named_among", account_ids=account_ids, names=names)
    return {row["id"] for row in rows}


async def _held(conn: Any, account_ids: Iterable[int]) -> set[int]:
    """Which of these accounts the engage store has."""
    rows = await sql.fetch(conn, "held_accounts", account_ids=sorted(account_ids))
    return {row["id"] for row in rows}
