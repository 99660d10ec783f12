"""Journeys as the engage store keeps them: immutable versions, their plans and hidden campaigns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.engage import sql, wakeups
from caravan.engage.plans import load_plan, load_plan_body, store_plan
from caravan.engage.versions import PIN, Policy, decide
from caravan.journeys.compiler import Compiled, compiled
from caravan.journeys.conditions.naming import audiences_anywhere
from caravan.journeys.life_cycle import ENDED, NoJourney, Refused, check
from caravan.journeys.plan import Plan
from caravan.journeys.schedule import dates_of


@dataclass(frozen=True)
class Stored:
    """What became of a journey that was applied."""

    journey_id: int
    slug: str
    version: int
    change: str  # published | drafted | unchanged | ended
    called: int = 0  # accounts inside earlier versions that were told to move


async def store_draft(pool: Any, compiled: Compiled) -> Stored:
    """Store a journey without publishing it; a draft that is there already is replaced."""
    async with pool.acquire() as conn, conn.transaction():
        return await _store(conn, compiled, publish_at=None)


async def publish(pool: Any, compiled: Compiled, at: datetime, policy: Policy = PIN) -> Stored:
    """Store a journey, its campaigns and its plan and make it live, or scheduled, all or nothing.

    A version whose plan is already live is left as it is; a changed one becomes the next version
    and closes the one before to new entries; ``policy`` says what becomes of those inside. A slug whose
    latest version has ended is left alone.
    """
    async with pool.acquire() as conn, conn.transaction():
        return await _store(conn, compiled, publish_at=at, policy=policy)


async def foresee(pool: Any, compiled: Compiled, at: datetime) -> Stored:
    """What publishing would do; it is done, and taken back.

    Raises:
        Refused: as publishing would.
    """
    async with pool.acquire() as conn:
        trial = conn.transaction()
        await trial.start()
        try:
            return await _store(conn, compiled, publish_at=at)
        finally:
            await trial.rollback()


async def duplicate(pool: Any, slug: str, to: str) -> Stored:
    """Store the latest version of a journey as a draft under another slug."""
    versions = await sql.fetch(pool, "journeys", slug=slug)
    if not versions:
        raise NoJourney(slug)
    body = await load_plan_body(pool, versions[-1]["plan_hash"])
    copy = Plan.model_validate(body | {"journey": to, "name": f"{body['name']} (copy)"})
    return await store_draft(pool, compiled(copy))


async def note_starts(pool: Any, at: datetime) -> list[Any]:
    """Make scheduled journeys live whose start has come; returns their rows."""
    begun = list(await sql.fetch(pool, "begin_due", at=at))
    if begun:
        await wakeups.nudge(pool)
    return begun


async def note_ends(pool: Any, at: datetime) -> None:
    """Close journeys whose end has come to new entries; finish those with nobody left inside."""
    await sql.execute(pool, "close_ended", at=at)
    await sql.execute(pool, "drop_vain_admissions")
    await sql.execute(pool, "finish_empty")


async def publish_stored(
    pool: Any, slug: str, at: datetime, *, reopen: bool = False, policy: Policy = PIN
) -> Stored:
    """Publish the draft of a slug; with ``reopen`` also where its journey has ended, then as a new version.

    A journey that has ended and has no draft is published again by the plan it had. One that is published
    already is left as it is, but for what ``policy`` says of those inside its earlier versions.

    Raises:
        Refused: it has ended, or has nothing to publish.
        NoJourney: there is none.
    """
    async with pool.acquire() as conn, conn.transaction():
        await _take_turn(conn, slug)
        latest = await sql.fetchrow(conn, "latest_version", slug=slug)
        if latest is None or latest["deleted"]:
            raise NoJourney(slug)
        plan = await load_plan(conn, latest["plan_hash"])
        if latest["state"] == "draft":
            if not reopen and await _has_ended(conn, slug):
                raise Refused(f"{slug} has ended: publish its draft with --reopen")
            return await _publish(conn, latest["id"], latest["version"], plan, at, policy)
        if latest["state"] not in ENDED or not reopen:
            if check("publish", slug, latest["state"]):
                raise AssertionError(latest["state"])
            called = await decide(conn, policy, latest["id"], latest["version"], plan)
            return Stored(latest["id"], slug, latest["version"], "unchanged", called)
        journey_id = await _insert_version(conn, plan, latest["version"] + 1)
        await sql.execute(conn, "copy_campaigns", from_id=latest["id"], to_id=journey_id)
        return await _publish(conn, journey_id, latest["version"] + 1, plan, at, policy)


async def rollback(
    pool: Any, slug: str, at: datetime, *, to: int | None = None, policy: Policy = PIN
) -> tuple[Stored, int]:
    """Publish an earlier version again, as the next version; returns it with the version it repeats.

    Without ``to`` the last one before that said something else; a version that is itself a repetition
    counts as the one it repeats, so that giving the command twice goes back twice.

    Raises:
        Refused: there is no such version, the journey has ended, or a draft is in the way.
        NoJourney: there is none.
    """
    async with pool.acquire() as conn, conn.transaction():
        versions = await _take_turn(conn, slug)
        if not versions:
            raise NoJourney(slug)
        latest = versions[-1]
        if latest["state"] == "draft":
            raise Refused(
                f"{slug} v{latest['version']} is a draft: publish or delete it before a rollback"
            )
        if latest["state"] in ENDED:
            raise Refused(
                f"{slug} has ended: `caravan journey publish --reopen` publishes it again"
            )
        repeated = _earlier(slug, versions, to)
        version = latest["version"]
        plan = await load_plan(conn, repeated["plan_hash"])
        if repeated["plan_hash"] == latest["plan_hash"]:
            called = await decide(conn, policy, latest["id"], version, plan)
            return Stored(latest["id"], slug, version, "unchanged", called), repeated["version"]
        journey_id = await _insert_version(conn, plan, version + 1)
        await sql.execute(conn, "copy_campaigns", from_id=repeated["id"], to_id=journey_id)
        stored = await _publish(conn, journey_id, version + 1, plan, at, policy)
        return stored, repeated["version"]


def _earlier(slug: str, versions: list[Any], to: int | None) -> Any:
    """The version that a rollback repeats."""
    if to is not None:
        for row in versions:
            if row["version"] == to:
                return row
        raise Refused(
            f"{slug} has no version {to}: {', '.join(str(v['version']) for v in versions)}"
        )
    now = versions[-1]["plan_hash"]
    first = next(number for number, row in enumerate(versions) if row["plan_hash"] == now)
    if first == 0:
        raise Refused(f"{slug} has no version that came before this one; name one with --to")
    return versions[first - 1]


async def _take_turn(conn: Any, slug: str) -> list[Any]:
    """One publisher of a slug at a time; its versions, locked, oldest first as everybody locks them."""
    await sql.execute(conn, "one_publisher", slug=slug)
    return list(await sql.fetch(conn, "lock_versions", slug=slug))


async def _store(
    conn: Any, compiled: Compiled, publish_at: datetime | None, policy: Policy = PIN
) -> Stored:
    plan = compiled.plan
    await _take_turn(conn, plan.journey)
    latest = await sql.fetchrow(conn, "latest_version", slug=plan.journey)
    if publish_at is not None and await _has_ended(conn, plan.journey):
        return Stored(latest["id"], plan.journey, latest["version"], "ended")
    draft = latest if latest is not None and latest["state"] == "draft" else None
    if (
        latest is not None
        and not latest["deleted"]
        and latest["plan_hash"] == plan.hash
        and (draft is None or not publish_at)
    ):
        called = 0
        if publish_at is not None:  # published already: what is said of those inside still counts
            called = await decide(conn, policy, latest["id"], latest["version"], plan)
        return Stored(latest["id"], plan.journey, latest["version"], "unchanged", called)
    await store_plan(conn, plan)
    if draft is not None:
        journey_id, version = draft["id"], draft["version"]
        await sql.execute(
            conn,
            "replace_draft",
            id=journey_id,
            name=plan.name,
            plan_hash=plan.hash,
            audience=plan.audience,
            of_list=plan.of_list,
            **_rules(plan),
        )
        await sql.execute(conn, "delete_campaigns", journey_ids=[journey_id])
        await _name_audiences(conn, journey_id, plan)
    else:
        version = latest["version"] + 1 if latest is not None else 1
        journey_id = await _insert_version(conn, plan, version)
    for position, campaign in enumerate(compiled.campaigns):
        await sql.execute(
            conn,
            "insert_campaign",
            name=campaign.name,
            journey_id=journey_id,
            position=position,
            body=campaign.model_dump(mode="json"),
        )
    if publish_at is None:
        return Stored(journey_id, plan.journey, version, "drafted")
    return await _publish(conn, journey_id, version, plan, publish_at, policy)


async def _has_ended(conn: Any, slug: str) -> bool:
    """Whether the version published last takes no entries any more."""
    latest = await sql.fetchrow(conn, "latest_published", slug=slug)
    return latest is not None and latest["state"] in ENDED


async def _insert_version(conn: Any, plan: Plan, version: int) -> int:
    journey_id = await sql.fetchval(
        conn,
        "insert_journey",
        slug=plan.journey,
        version=version,
        name=plan.name,
        state="draft",
        plan_hash=plan.hash,
        audience=plan.audience,
        of_list=plan.of_list,
        **_rules(plan),
        starts_at=None,
        ends_at=None,
        deadline=None,
        published_at=None,
    )
    await _name_audiences(conn, journey_id, plan)
    return int(journey_id)


async def _name_audiences(conn: Any, journey_id: int, plan: Plan) -> None:
    """Note the audiences that the plan's conditions ask about, and no others."""
    await sql.execute(conn, "unname_audiences", journey_id=journey_id)
    audiences = sorted(audiences_anywhere(plan))
    await sql.execute(conn, "name_audiences", journey_id=journey_id, audiences=audiences)


def _rules(plan: Plan) -> dict[str, Any]:
    """What admission goes by, as columns."""
    return {"rules": plan.rules.model_dump(mode="json"), "entry_limit": plan.rules.limit}


async def _publish(
    conn: Any, journey_id: int, version: int, plan: Plan, at: datetime, policy: Policy
) -> Stored:
    starts_at, ends_at, deadline = dates_of(plan.schedule, plan.zone, at)
    if ends_at <= at:
        raise Refused(
            f"{plan.journey} ends at {ends_at.isoformat()}, which is past: "
            "change its `schedule` and store it with `caravan apply --draft`"
        )
    before = await sql.fetch(conn, "close_earlier_versions", slug=plan.journey, version=version)
    await sql.execute(
        conn,
        "publish_draft",
        id=journey_id,
        state="live" if starts_at <= at else "scheduled",
        starts_at=starts_at,
        ends_at=ends_at,
        deadline=deadline,
        published_at=at,
        # what has been stopped is not set going by a new version
        **_stopped(before),
    )
    called = await decide(conn, policy, journey_id, version, plan)
    return Stored(journey_id, plan.journey, version, "published", called)


def _stopped(before: list[Any]) -> dict[str, Any]:
    """What the version that took entries until now says of its being paused."""
    names = ("paused_at", "paused_by", "paused_why", "watched_from")
    return {name: before[0][name] if before else None for name in names}
