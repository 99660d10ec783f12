"""Journeys as the engage store keeps them: immutable versions, their plans and hidden campaigns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.engage import sql
from caravan.journeys.compiler import Compiled
from caravan.journeys.conditions.naming import audiences_anywhere
from caravan.journeys.time import shift

ENDED = ("closed", "aborted", "finished")


@dataclass(frozen=True)
class Stored:
    """What became of a journey that was applied."""

    journey_id: int
    slug: str
    version: int
    change: str  # published | drafted | unchanged | ended


async def store_draft(pool: Any, compiled: Compiled) -> Stored:
    """Store a journey without publishing it; a draft that is there already is replaced."""
    async with pool.acquire() as conn, conn.transaction():
        return await _store(conn, compiled, publish_at=None)


async def publish(pool: Any, compiled: Compiled, at: datetime) -> Stored:
    """Store a journey, its campaigns and its plan and make it live, all or nothing.

    A version whose plan is already live is left as it is; a changed one becomes the next version
    and closes the one before to new entries. A slug whose latest version has ended is left alone.
    """
    async with pool.acquire() as conn, conn.transaction():
        return await _store(conn, compiled, publish_at=at)


async def note_ends(pool: Any, at: datetime) -> None:
    """Close journeys whose end has come to new entries; finish those with nobody left inside."""
    await sql.execute(pool, "close_ended", at=at)
    await sql.execute(pool, "drop_vain_admissions")
    await sql.execute(pool, "finish_empty")


async def _store(conn: Any, compiled: Compiled, publish_at: datetime | None) -> Stored:
    plan = compiled.plan
    await sql.execute(conn, "one_publisher", slug=plan.journey)
    latest = await sql.fetchrow(conn, "latest_version", slug=plan.journey)
    if latest is not None and latest["state"] in ENDED:
        return Stored(latest["id"], plan.journey, latest["version"], "ended")
    draft = latest if latest is not None and latest["state"] == "draft" else None
    if (
        latest is not None
        and latest["plan_hash"] == plan.hash
        and (draft is None or not publish_at)
    ):
        return Stored(latest["id"], plan.journey, latest["version"], "unchanged")
    await sql.execute(conn, "store_plan", hash=plan.hash, body=plan.model_dump(mode="json"))
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
        )
        await sql.execute(conn, "drop_draft_campaigns", journey_id=journey_id)
        await sql.execute(conn, "unname_audiences", journey_id=journey_id)
    else:
        version = latest["version"] + 1 if latest is not None else 1
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
            starts_at=None,
            ends_at=None,
            deadline=None,
            published_at=None,
        )
    audiences = sorted(audiences_anywhere(plan))
    await sql.execute(conn, "name_audiences", journey_id=journey_id, audiences=audiences)
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
    await sql.execute(conn, "close_earlier_versions", slug=plan.journey, version=version)
    starts_at, ends_at, deadline = schedule_of(compiled, publish_at)
    await sql.execute(
        conn,
        "publish_draft",
        id=journey_id,
        starts_at=starts_at,
        ends_at=ends_at,
        deadline=deadline,
        published_at=publish_at,
    )
    return Stored(journey_id, plan.journey, version, "published")


def schedule_of(compiled: Compiled, at: datetime) -> tuple[datetime, datetime, datetime]:
    """Start, end, and the end with its grace, of a journey published at ``at``."""
    schedule, zone = compiled.plan.schedule, compiled.plan.zone
    starts_at = schedule.start if isinstance(schedule.start, datetime) else at
    assert schedule.end is not None  # end-date-missing is an error of validation
    ends_at = (
        schedule.end if isinstance(schedule.end, datetime) else shift(starts_at, schedule.end, zone)
    )
    deadline = shift(ends_at, schedule.grace, zone) if schedule.grace else ends_at
    return starts_at, ends_at, deadline


async def load_plan_body(conn: Any, plan_hash: str) -> dict[str, Any]:
    """The stored plan, as JSON."""
    body = await sql.fetchval(conn, "plan_body", hash=plan_hash)
    if body is None:
        raise LookupError(f"no plan {plan_hash}")
    return dict(body)
