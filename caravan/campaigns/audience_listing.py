"""What there is to tell of audiences: how many are in them, how fresh that is, and who uses them.

Only an audience that something uses is kept up to date; what is known of the others is as old as their
last evaluation.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from caravan.database import outbox
from caravan.engage import sql
from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.naming import audiences_named
from caravan.platform import audiences, down_flow
from caravan.platform import sql as platform_sql

_condition: TypeAdapter[Condition] = TypeAdapter(Condition)


@dataclass(frozen=True)
class Listed:
    """An audience as it stands."""

    audience: str
    of: audiences.AudienceOf
    members: int
    evaluated_at: datetime | None  # last for everybody
    kept: bool  # whether every change since is followed
    waiting: int | None  # changes that are still to be followed; None: it is not kept
    used_by: tuple[str, ...]  # `kind:slug`


@dataclass(frozen=True)
class Moved:
    """An account or a person that has joined, and left where ``left_at`` says so."""

    id: str
    qualified_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True)
class Detail:
    """An audience with what moves in it."""

    listed: Listed
    condition: Condition
    zone: str
    flips: tuple[tuple[str, datetime], ...]  # (whom, when): the next that time alone may change
    flips_waiting: int
    joined: tuple[Moved, ...]  # latest first
    left: tuple[Moved, ...]  # latest first


async def listing(engage: Any, platform: Any) -> list[Listed]:
    """All audiences, by slug."""
    users: dict[str, list[str]] = {}
    kept: set[str] = set()
    for row in await sql.fetch(engage, "audience_users"):
        users.setdefault(row["audience"], []).append(f"{row['what']}:{row['name']}")
        if row["keeps"]:
            kept.add(row["audience"])
    rows = await platform_sql.fetch(platform, "audiences")
    for row in rows:
        for named in sorted(audiences_named(_condition.validate_python(row["condition"]))):
            users.setdefault(named, []).append(f"audience:{row['slug']}")
    waiting = await _waiting(engage, platform)
    return [
        Listed(
            audience=row["slug"],
            of=row["of"],
            members=row["members"],
            evaluated_at=row["evaluated_at"],
            kept=row["slug"] in kept,
            waiting=waiting if row["slug"] in kept else None,
            used_by=tuple(dict.fromkeys(users.get(row["slug"], ()))),
        )
        for row in rows
    ]


async def detail(engage: Any, platform: Any, slug: str, latest: int) -> Detail | None:
    """An audience, with its ``latest`` joins and leaves and as many flips; None where there is none."""
    listed = {one.audience: one for one in await listing(engage, platform)}.get(slug)
    if listed is None:
        return None
    said = (await audiences.stored(platform))[slug]
    flips = await platform_sql.fetch(platform, "flips_of_audience", audience=slug, limit=latest)
    named = {"audience": slug, "of": listed.of, "limit": latest}
    joined = await platform_sql.fetch(platform, "joins_of_audience", **named)
    left = await platform_sql.fetch(platform, "departures_of_audience", **named)
    return Detail(
        listed=listed,
        condition=said.condition,
        zone=said.zone,
        flips=tuple((row["external_id"], row["next_flip"]) for row in flips),
        flips_waiting=flips[0]["waiting"] if flips else 0,
        joined=tuple(Moved(row["external_id"], row["qualified_at"]) for row in joined),
        left=tuple(Moved(row["external_id"], row["qualified_at"], row["left_at"]) for row in left),
    )


async def _waiting(engage: Any, platform: Any) -> int:
    """Changes of the Platform that the stream has still to follow."""
    async with platform.acquire() as conn:
        after = await outbox.read_cursor(engage, down_flow.STREAM)
        return (await outbox.waiting(conn, after)).rows
