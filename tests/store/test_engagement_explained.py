"""Explaining a group: the sums add up to what is stored, and say what is missing."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from caravan.buying_groups import explaining, scale
from caravan.buying_groups.explaining import Explanation
from caravan.journeys import engagement
from starter import explain_group
from starter.output import as_json
from tests.engaging import Engaging
from tests.world import World

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
async def engaging(world: World) -> Engaging:
    new = Engaging(world)
    world.now = NOON
    await new.begin()
    await new.model({"page_visited": 40, "form_filled": 60, "email_opened": 30})
    return new


async def explained(engaging: Engaging, group: int) -> Explanation:
    async with (
        engaging.pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        found = await explaining.explain(conn, group)
    assert found is not None
    return found


async def a_group(engaging: Engaging) -> int:
    group = await engaging.account(1, {1: "decision-maker", 2: "practitioner", 3: "practitioner"})
    for n in range(2, 8):
        await engaging.account(n, {n + 100: "influencer"})
        await engaging.does(n + 100, "form_filled", NOON - timedelta(days=n), n * 4)
    await engaging.does(1, "page_visited", times=23)
    await engaging.does(1, "form_filled", NOON - timedelta(days=3))
    await engaging.does(2, "page_visited", NOON - timedelta(days=29), 2)
    await engaging.does(2, "page_visited", NOON - timedelta(days=30), 9)
    await engaging.keep()
    return group


async def test_sums_come_exactly_to_the_stored_scores(engaging: Engaging) -> None:
    group = await a_group(engaging)
    await engaging.does(3, "page_visited", times=3)  # after the scale was made
    found = await explained(engaging, group)
    assert found.scale is not None
    assert not found.behind
    stored = await engaging.pool.fetch("select person_id, points, score from engagement_people")
    by_person = {f"p{row['person_id']}": (row["points"], row["score"]) for row in stored}
    for member in found.members:
        assert sum(one.points for one in member.activities) == member.points
        assert (member.points, member.score) == by_person[member.person]
    assert sum(member.contribution for member in found.members) == found.raw
    assert engagement.score(found.raw, found.scale.group_p99) == found.engagement
    assert 0 < found.engagement < 100


async def test_says_which_activities_count_and_which_role_is_empty(engaging: Engaging) -> None:
    group = await a_group(engaging)
    await engaging.does(2, "email_opened")  # has weight, and had not occurred
    told = json.loads(as_json(explain_group.told(await explained(engaging, group))))
    assert told["account"] == "a1"
    assert told["empty_roles"] == ["influencer"]
    assert [(role["role"], role["people"]) for role in told["roles"]] == [
        ("decision-maker", 1),
        ("practitioner", 2),
        ("influencer", 0),
    ]
    first, second, third = told["member_list"]
    assert first["activities"] == [
        {"type": "page_visited", "day": "2026-03-10", "count": 23, "counted": 20, "weight": 40, "points": 800},
        {"type": "form_filled", "day": "2026-03-07", "count": 1, "counted": 1, "weight": 60, "points": 60},
    ]  # fmt: skip
    assert (first["points"], first["role_weight"], first["share"]) == (860, 100, 0.625)
    assert second["activities"] == [
        {"type": "email_opened", "day": "2026-03-10", "count": 1, "counted": 0, "weight": None, "points": 0},
        {"type": "page_visited", "day": "2026-02-09", "count": 2, "counted": 2, "weight": 40, "points": 80},
    ]  # fmt: skip
    assert third == {
        "person": "p3", "role": "practitioner", "role_weight": 60, "share": 0.375, "points": 0,
        "raw": 0.0, "score": 0, "contribution": 0.0, "activities": [],
    }  # fmt: skip
    assert told["role_weights"] == 160
    scale = told["scale"]
    assert (scale["from_day"], scale["day"], scale["last_day"]) == (
        "2026-02-09",
        "2026-03-10",
        "2026-03-11",
    )
    assert (scale["heaviest"], scale["daily_cap"], scale["zone"]) == (60, 20, "UTC")


async def test_says_so_while_a_new_scale_is_followed_and_before_there_is_one(
    engaging: Engaging,
) -> None:
    group = await engaging.account(1, {1: "decision-maker"})
    nothing = await explained(engaging, group)
    assert (nothing.scale, nothing.engagement, nothing.raw) == (None, 0, 0)
    await engaging.does(1, "form_filled")
    await engaging.keep()
    engaging.world.pass_time(days=31)
    assert await scale.renew(engaging.pool, engaging.world.now)
    found = await explained(engaging, group)
    assert found.behind
    assert (found.engagement, found.raw) == (100, 0)
    await engaging.keep()
    found = await explained(engaging, group)
    assert (found.behind, found.engagement) == (False, Decimal(0))


async def test_no_such_group(engaging: Engaging) -> None:
    async with engaging.pool.acquire() as conn:
        assert await explaining.explain(conn, 77) is None


async def test_command_tells_programs_and_people(engaging: Engaging) -> None:
    group = await a_group(engaging)
    world = engaging.world

    async def caravan(*words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "starter",
            "buying-group",
            *words,
            "--subscription",
            world.munchkin,
            stdout=subprocess.PIPE,
            env=os.environ
            | {
                "PLATFORM_DSN": world.stores.platform_dsn,
                "ENGAGE_DSN": world.stores.engage_dsn,
                "TEMPORAL_ADDRESS": "127.0.0.1:1",  # which it asks nothing, like the next
                "SMTP_URL": "smtp://127.0.0.1:1",
            },
            cwd=Path(__file__).parents[2],
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        return out.decode()

    told = json.loads(await caravan("explain", "a1/grid", "--format", "json"))
    shown = json.loads(await caravan("show", "a1/grid", "--format", "json"))
    # one thing has one name and one shape, whichever of the two tells it
    for key in ("completeness", "engagement", "members", "empty_roles", "qualified_at"):
        assert told[key] == shown[key]
    shared = shown["roles"][0].keys()
    assert [{key: one[key] for key in shared} for one in told["roles"]] == shown["roles"]
    for key in ("person", "role", "score"):
        assert [one[key] for one in told["member_list"]] == [
            one[key] for one in shown["member_list"]
        ]
    found = await explained(engaging, group)
    assert told == json.loads(as_json(explain_group.told(found)))
    assert told["engagement"] == float((await engaging.group(group))["engagement"])
    text = await caravan("explain", str(group))
    for word in ("Empty: influencer", "page_visited", f"{found.engagement}", "nobody"):
        assert word in text
