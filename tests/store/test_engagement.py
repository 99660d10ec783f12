"""Engagement as it is counted: at once, capped, by day, under a scale."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.testing import ActivityEnvironment

from activities.buying_groups import BuyingGroupActivities
from caravan.buying_groups import membership, qualifying, scale, storing
from caravan.campaigns import recording
from caravan.engage import dynamic_lists, sql
from caravan.engage.happening import Happening
from tests.engaging import ROLES, Engaging
from tests.world import World
from workflows.contracts import UpkeepRequest

WEIGHTS = {"page_visited": 40, "form_filled": 60, "email_opened": 30}
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
async def engaging(world: World) -> Engaging:
    new = Engaging(world)
    world.now = NOON
    await new.begin()
    await new.model(WEIGHTS)
    return new


async def points(engaging: Engaging) -> dict[int, int]:
    rows = await engaging.pool.fetch("select person_id, points from engagement_people")
    return {row["person_id"]: row["points"] for row in rows}


async def test_counts_at_once_and_tells_what_is_shown(engaging: Engaging) -> None:
    group = await engaging.account(1, {1: "decision-maker", 2: "practitioner"})
    await engaging.does(1, "page_visited")
    await engaging.keep()
    assert await engaging.scores() == {1: 100}
    assert (await engaging.group(group))["engagement"] == 100
    await engaging.does(2, "page_visited")
    assert await engaging.scores() == {1: 100, 2: 100}
    (told,) = await engaging.told("engagement_changed")
    assert told == {
        "account_id": 1,
        "person_id": None,
        "at": NOON,
        "fields": {"solution_interest": "grid", "score": 100.0, "from": 0.0},
    }


async def test_change_that_is_not_shown_is_not_told(engaging: Engaging) -> None:
    group = await engaging.account(1, {1: "decision-maker"})
    other = await engaging.account(2, {2: "decision-maker"})
    for day in range(20):
        at = NOON - timedelta(days=day)
        await engaging.does(1, "form_filled", at, 20)
        await engaging.does(2, "form_filled", at, 20 if day else 18)
    await engaging.keep()
    before = (await engaging.group(other))["engagement"]
    told = len(await engaging.told("engagement_changed"))
    await engaging.does(2, "form_filled")
    after = (await engaging.group(other))["engagement"]
    assert before < after < 100
    assert len(await engaging.told("engagement_changed")) == told
    assert (await engaging.group(group))["engagement"] == 100


async def test_day_counts_twenty_of_a_type_and_no_more(engaging: Engaging) -> None:
    await engaging.account(1, {1: "decision-maker"})
    await engaging.does(1, "page_visited", times=15)
    await engaging.keep()
    assert await points(engaging) == {1: 15 * 40}
    await engaging.does(1, "page_visited", times=22)
    assert await points(engaging) == {1: 20 * 40}
    await engaging.does(1, "page_visited")
    await engaging.does(1, "page_visited", NOON - timedelta(days=1), 2)
    await engaging.keep()
    assert await points(engaging) == {1: 22 * 40}
    stored = await engaging.pool.fetchval("select max(count) from engagement_days")
    assert stored == 38  # uncapped: another cap counts the same days


async def test_known_activity_counts_once(engaging: Engaging) -> None:
    await engaging.account(1, {1: "decision-maker"})
    await engaging.does(1, "page_visited", key="k", times=2)
    await engaging.keep()
    await engaging.does(1, "page_visited", key="k", times=3)
    assert await points(engaging) == {1: 3 * 40}


async def test_window_moves_with_the_next_scale(engaging: Engaging) -> None:
    group = await engaging.account(1, {1: "decision-maker"})
    await engaging.account(2, {2: "decision-maker"})
    await engaging.does(1, "page_visited", NOON - timedelta(days=29))
    await engaging.does(1, "page_visited", NOON - timedelta(days=30))
    await engaging.does(2, "page_visited")
    await engaging.keep()
    assert await points(engaging) == {1: 40, 2: 40}
    assert not await scale.renew(engaging.pool, NOON + timedelta(hours=11))
    engaging.world.pass_time(hours=12)
    await engaging.keep()
    assert await points(engaging) == {1: 0, 2: 40}
    assert (await engaging.group(group))["engagement"] == 0
    oldest = await engaging.pool.fetchval("select min(day) from engagement_days")
    assert oldest == NOON.date()


async def test_activity_while_a_new_scale_is_followed_is_reckoned_under_it(
    engaging: Engaging,
) -> None:
    """Of whoever does it, from all their days; of the others in their groups too, who stand behind."""
    group = await engaging.account(1, {1: "decision-maker", 2: "practitioner"})
    await engaging.account(2, {3: "decision-maker"})
    old, done = NOON - timedelta(days=29), [(3, "page_visited", NOON)] * 9
    done += [(1, "page_visited", old)] * 4 + [(2, "page_visited", old)] * 5
    for person, kind, at in done:
        await engaging.does(person, kind, at)
    await engaging.keep()
    before = await engaging.group(group)
    engaging.world.pass_time(days=1)
    assert await scale.renew(engaging.pool, engaging.world.now)
    assert dict(await engaging.group(group)) == dict(before)
    await engaging.does(1, "page_visited")
    done.append((1, "page_visited", engaging.world.now))
    assert (await engaging.group(group))["scale_id"] > before["scale_id"]
    assert (await points(engaging)) == {1: 40, 2: 5 * 40, 3: 9 * 40}
    await engaging.agrees(done, all_followed=False)
    await engaging.keep()
    await engaging.agrees(done)


async def test_days_are_those_of_the_models_zone(engaging: Engaging) -> None:
    await engaging.model(WEIGHTS, zone="Europe/Stockholm", daily_cap=1)
    await engaging.account(1, {1: "decision-maker"})
    # the night the clock goes forward: 29 March 2026 begins at 23:00Z and ends at 22:00Z
    engaging.world.now = datetime(2026, 3, 30, 12, tzinfo=UTC)
    edges = [
        datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 29, 22, tzinfo=UTC),
    ]
    for at in edges[:2]:
        await engaging.does(1, "page_visited", at)
    await engaging.keep()
    for at in edges[2:]:
        await engaging.does(1, "page_visited", at)
    rows = await engaging.pool.fetch("select day, count from engagement_days order by day")
    assert [(row["day"].day, row["count"]) for row in rows] == [(28, 1), (29, 2), (30, 1)]
    assert await points(engaging) == {1: 3 * 40}


async def test_what_is_dated_ahead_counts_when_the_window_reaches_it(engaging: Engaging) -> None:
    await engaging.account(1, {1: "decision-maker"})
    await engaging.does(1, "page_visited", NOON + timedelta(days=5))  # before there is a scale
    await engaging.does(1, "page_visited", datetime(9999, 12, 31, 23, tzinfo=UTC))
    await engaging.does(1, "page_visited")
    await engaging.keep()
    await engaging.does(1, "page_visited", NOON + timedelta(days=5))
    await engaging.does(1, "page_visited", NOON + timedelta(days=1))
    assert await points(engaging) == {1: 2 * 40}
    engaging.world.pass_time(days=3)
    await engaging.keep()
    assert await points(engaging) == {1: 2 * 40}
    engaging.world.pass_time(days=1)
    await engaging.keep()
    assert await points(engaging) == {1: 4 * 40}


async def test_type_that_had_not_occurred_counts_from_the_next_scale(engaging: Engaging) -> None:
    await engaging.account(1, {1: "decision-maker"})
    await engaging.does(1, "page_visited")
    await engaging.keep()
    await engaging.does(1, "form_filled", times=3)
    assert await points(engaging) == {1: 40}
    assert not await scale.renew(engaging.pool, engaging.world.now)
    engaging.world.pass_time(days=1)
    await engaging.keep()
    assert (await engaging.scale())["weights"] == {"page_visited": 40, "form_filled": 60}
    assert await points(engaging) == {1: 40 + 3 * 60}


async def test_first_thing_that_happens_makes_a_scale(engaging: Engaging) -> None:
    assert await scale.renew(engaging.pool, NOON)
    assert not await scale.renew(engaging.pool, NOON)
    await engaging.person(1)
    await engaging.does(1, "email_opened")
    await engaging.keep()
    assert await engaging.scores() == {1: 100}
    assert (await engaging.scale())["group_p99"] is None
    assert not await scale.renew(engaging.pool, NOON)
    group = await engaging.account(1, {1: "influencer"})
    await engaging.keep()
    assert (await engaging.group(group))["engagement"] == 100


async def test_another_model_counts_what_had_no_weight(engaging: Engaging) -> None:
    await engaging.account(1, {1: "decision-maker"})
    done = [
        (1, kind, NOON - timedelta(days=day))
        for kind in ("page_visited", "sms_clicked", "form_filled")
        for day in (0, 3, 29, 40)
    ]
    for person, kind, at in done:
        await engaging.does(person, kind, at)
    await engaging.keep()
    assert await points(engaging) == {1: 3 * 40 + 3 * 60}
    await engaging.agrees(done)
    for said in (
        {"weights": {"sms_clicked": 90, "page_visited": 40}},
        {"weights": {"sms_clicked": 90, "page_visited": 40}, "zone": "Pacific/Auckland"},
        {"weights": {"form_filled": 10}, "window_days": 60},
        {"weights": WEIGHTS, "daily_cap": 1},
        {"weights": {}},
        {"weights": {"nothing": 7, "page_visited": 0}},
        {"weights": WEIGHTS},
    ):
        await engaging.model(**said)  # type: ignore[arg-type]
        await engaging.keep()
        await engaging.does(1, "page_visited")
        done.append((1, "page_visited", NOON))
        await engaging.agrees(done)


NOBODY_ASKS = """
journey: j
audience: everyone
schedule: {end: 90 days}
start: a
nodes: {a: {wait: 80 days}}
"""


async def test_workspace_that_does_not_ask_for_engagement_counts_nothing(world: World) -> None:
    await store(world, NOBODY_ASKS)
    assert not await scale.renew(world.engage, world.now)
    engaging = Engaging(world)
    await engaging.person(1)
    await engaging.does(1, "page_visited")
    assert await world.engage.fetchval("select count(*) from engagement_days") == 0


@pytest.mark.parametrize(
    "asks",
    [
        """
        ---
        people_list: keen
        type: dynamic
        when: {person: {engagement: {at_least: 50}}}
        """,
        """
        ---
        journey: k
        audience: everyone
        schedule: {end: 90 days}
        start: a
        nodes: {a: {split: accounts, paths: [{when: {person: {engagement: {at_least: 50}}}, end: x}]}}
        """,
        """
        ---
        score_model: own
        weights: {page_visited: 1}
        """,
    ],
)
async def test_workspace_that_asks_for_engagement_or_weighs_it_counts(
    world: World, asks: str
) -> None:
    await store(world, NOBODY_ASKS + dedent(asks))
    assert await scale.renew(world.engage, world.now)


async def store(world: World, documents: str) -> None:
    workspace = world.workspace(documents)
    await world.store(workspace)
    async with world.engage.acquire() as conn, conn.transaction():
        await storing.store(conn, workspace, world.now)
    for slug in workspace.journeys:
        await world.publish(workspace, slug)


async def test_list_that_asks_for_engagement_follows_a_scale_that_no_event_tells_of(
    world: World,
) -> None:
    world.now = NOON
    await store(
        world,
        NOBODY_ASKS
        + "---\npeople_list: keen\ntype: dynamic\nwhen: {person: {engagement: {at_least: 50}}}\n",
    )
    engaging = Engaging(world)
    await engaging.person(1)
    members = "select count(*) from list_members where list = 'keen'"
    await engaging.keep()
    await engaging.does(1, "page_visited")
    await engaging.keep()
    await dynamic_lists.keep_page(world.engage, world.now)
    assert await world.engage.fetchval(members) == 1
    world.pass_time(days=31)
    await dynamic_lists.keep_page(world.engage, world.now)
    assert await world.engage.fetchval(members) == 1
    await engaging.keep()
    await dynamic_lists.keep_page(world.engage, world.now)
    assert await world.engage.fetchval(members) == 0


async def test_person_in_many_groups_moves_all_of_them(engaging: Engaging) -> None:
    groups = [
        await engaging.account(n, {1: "decision-maker", n + 100: "practitioner"})
        for n in range(1, 6)
    ]
    left = await engaging.account(6, {1: "influencer", 106: "practitioner"})
    await engaging.leave(left, 1)
    await engaging.does(106, "form_filled", times=20)
    await engaging.keep()
    await engaging.does(1, "form_filled", times=4)
    moved = [(await engaging.group(group))["engagement"] for group in groups]
    assert len(set(moved)) == 1
    assert moved[0] > 0
    told = await engaging.told("engagement_changed")
    assert [one["account_id"] for one in told] == [6, 1, 2, 3, 4, 5]
    await engaging.agrees([(106, "form_filled", NOON)] * 20 + [(1, "form_filled", NOON)] * 4)


async def test_role_the_template_no_longer_has_weighs_nothing(engaging: Engaging) -> None:
    group = await engaging.account(1, {1: "decision-maker", 2: "gone"})
    await engaging.does(1, "page_visited", times=2)
    await engaging.does(2, "page_visited", times=8)
    await engaging.keep()
    assert (await engaging.group(group))["engagement"] == 100
    scores = await engaging.scores()
    assert (await engaging.scale())["group_p99"] == pytest.approx(
        Decimal(float(scores[1]) ** 0.5), abs=Decimal("1e-9")
    )


async def test_percentile_is_continuous_over_those_who_have_anything(engaging: Engaging) -> None:
    for n in range(1, 12):
        await engaging.account(n, {n: "decision-maker"})
        await engaging.does(n, "form_filled", times=n) if n < 11 else None
    await engaging.keep()
    roots = sorted(n**0.5 for n in range(1, 11))
    expected = roots[8] + (roots[9] - roots[8]) * (0.99 * 9 - 8)
    assert float((await engaging.scale())["person_p99"]) == pytest.approx(expected, rel=1e-12)


async def test_qualified_once_with_its_time_and_stays(engaging: Engaging) -> None:
    at_least = {"type": "number", "checks": [{"operator": "at_least", "operands": [50]}]}
    await engaging.pool.execute(
        "update solution_interests set qualified = $1",
        {"engagement": at_least, "completeness": at_least},
    )
    group = await engaging.account(1, {1: "decision-maker"})
    await engaging.account(2, {2: "decision-maker"})
    await engaging.does(2, "form_filled", times=20)
    await engaging.keep()
    await engaging.does(1, "form_filled", times=20)
    assert (await engaging.group(group))["qualified_at"] is None  # nobody is complete
    await engaging.pool.execute("update buying_groups set completeness = 50 where id = $1", group)
    engaging.world.pass_time(minutes=1)
    await engaging.does(1, "form_filled")  # capped: nothing changes
    assert (await engaging.group(group))["qualified_at"] is None
    async with engaging.pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "lock_groups", group_ids=[group])
        happened = await qualifying.qualify(conn, [group], engaging.world.now)
        await recording.record(conn, engaging.world.plans, happened, engaging.world.now)
    since = (await engaging.group(group))["qualified_at"]
    assert since == engaging.world.now
    engaging.world.pass_time(days=40)
    await engaging.keep()
    assert (await engaging.group(group))["engagement"] == 0
    assert (await engaging.group(group))["qualified_at"] == since
    (told,) = await engaging.told("buying_group_qualified")
    assert (told["account_id"], told["at"], told["fields"]) == (
        1,
        since,
        {"solution_interest": "grid"},
    )


async def test_activity_qualifies_in_the_transaction_that_records_it(engaging: Engaging) -> None:
    more_than = {"type": "number", "checks": [{"operator": "greater_than", "operands": [90]}]}
    await engaging.pool.execute(
        "update solution_interests set qualified = $1", {"engagement": more_than}
    )
    group = await engaging.account(1, {1: "decision-maker"})
    await engaging.account(2, {2: "decision-maker"})
    await engaging.does(2, "form_filled", times=20)
    await engaging.keep()
    engaging.world.pass_time(minutes=1)
    await engaging.does(1, "form_filled", times=20)
    assert (await engaging.group(group))["qualified_at"] == engaging.world.now


PEOPLE, GROUPS = range(1, 6), 3
_person = st.sampled_from(PEOPLE)
_does = st.tuples(
    st.just("does"),
    _person,
    st.sampled_from([*WEIGHTS, "sms_clicked", "unweighed"]),
    st.sampled_from([-6 * 24, -5 * 24, -5 * 24, -24, 0, 0, 0, 11, 24, 48, 48]),  # hours from now
    st.integers(1, 4),
    st.sampled_from(["", "", "one", "two"]),  # a key: done before or not
)
_joins = st.tuples(st.just("joins"), _person, st.integers(0, GROUPS - 1), st.sampled_from([*ROLES]))
_leaves = st.tuples(st.just("leaves"), _person, st.integers(0, GROUPS - 1))
_passes = st.tuples(st.just("passes"), st.sampled_from([1, 13, 24, 24, 49, 120]))  # hours
_models = st.tuples(
    st.just("models"),
    st.sampled_from([WEIGHTS, {"page_visited": 7, "sms_clicked": 11}, {"form_filled": 1}, {}]),
    st.integers(1, 20),  # days
    st.integers(1, 4),  # of a type on a day
    st.sampled_from(["UTC", "Europe/Stockholm", "Pacific/Auckland", "America/Los_Angeles"]),
)
_renews = st.tuples(st.just("renews"), st.sampled_from([0, 24]))  # hours later
_pages = st.tuples(st.just("pages"), st.integers(1, 3))
_keeps = st.tuples(st.just("keeps"))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        _does | _does | _does | _joins | _leaves | _passes | _models | _renews | _pages | _keeps,
        max_size=30,
    )
)
async def test_whatever_happened_equals_a_full_recompute_under_the_same_scale(
    engaging: Engaging, steps: list[Any]
) -> None:
    world, pool = engaging.world, engaging.pool
    await pool.execute(
        "truncate relations, buying_group_history, activities, engagement_days, engagement_people, engagement_scales,"
        " buying_group_members, buying_groups, score_models"
    )
    engaging.versions, world.now = 0, NOON
    await engaging.model(WEIGHTS, daily_cap=3, window_days=6)
    groups = [await engaging.account(n, {n: "decision-maker"}) for n in range(1, GROUPS + 1)]
    for person in PEOPLE:
        for account in range(1, GROUPS + 1):
            await engaging.person(person, account)
    done: list[tuple[int, str, datetime]] = []
    for kind in WEIGHTS:
        await engaging.does(1, kind)
        done.append((1, kind, NOON))
    await engaging.keep()
    keys: set[str] = set()
    for step in steps:
        match step:
            case ("does", person, kind, hours, times, key):
                at = world.now + timedelta(hours=hours)
                await engaging.does(person, kind, at, times, key)
                fresh = [n for n in range(times) if not key or f"{key}:{n}" not in keys]
                done += [(person, kind, at) for _ in fresh]
                keys |= {f"{key}:{n}" for n in fresh if key}
            case ("joins", person, number, role):
                async with pool.acquire() as conn, conn.transaction():
                    await membership.assign(
                        conn, groups[number], [person], role, "manual", world.now
                    )
            case ("leaves", person, number):
                async with pool.acquire() as conn, conn.transaction():
                    await membership.remove(conn, groups[number], [person], "manual", world.now)
            case ("passes", hours):
                world.pass_time(hours=hours)
            case ("models", weights, window, cap, zone):
                await engaging.model(weights, window_days=window, daily_cap=cap, zone=zone)
            case ("keeps",):
                await engaging.keep()
            case ("renews", hours):
                world.pass_time(hours=hours)
                await scale.renew(pool, world.now)
            case ("pages", count):
                for _ in range(count):
                    async with pool.acquire() as conn, conn.transaction():
                        with pytest.MonkeyPatch.context() as patch:
                            patch.setattr(scale, "PEOPLE", 2)
                            patch.setattr(scale, "GROUPS", 1)
                            await scale.follow_page(conn, world.now)
        await engaging.agrees(done, all_followed=False)
    await engaging.keep()
    await engaging.agrees(done)
    assert not await scale.renew(pool, world.now)


async def test_everybody_at_once_loses_nothing(engaging: Engaging) -> None:
    """Recorders of the same people, people who join and leave, and new scales, all at the same time."""
    groups = [await engaging.account(n, {n: "decision-maker"}) for n in range(1, 5)]
    for person in range(1, 9):
        for account in range(1, 5):
            await engaging.person(person, account)
    await engaging.does(1, "page_visited")
    await engaging.keep()
    done = Counter({(1, "page_visited"): 1})
    plans, now = engaging.world.plans, engaging.world.now

    async def recorder(seed: int) -> None:
        for n in range(12):
            who = [(seed * 5 + n * 3 + k) % 8 + 1 for k in range(4)]
            kinds = [list(WEIGHTS)[(seed + n + k) % 3] for k in range(4)]
            happened = [
                Happening(kind, now, person_id=person)
                for person, kind in zip(who, kinds, strict=True)
            ]
            async with engaging.pool.acquire() as conn, conn.transaction():
                await recording.record(conn, plans, happened, now)
            done.update(zip(who, kinds, strict=True))

    async def mover() -> None:
        for n in range(12):
            people = [n % 8 + 1, (n + 3) % 8 + 1]
            async with engaging.pool.acquire() as conn, conn.transaction():
                await membership.assign(conn, groups[n % 4], people, "practitioner", "manual", now)

    async def scaler() -> None:
        for n in range(6):
            await engaging.model(WEIGHTS | {"page_visited": 40 + n}, daily_cap=20 - n)
            await engaging.keep()

    await asyncio.gather(*(recorder(seed) for seed in range(4)), mover(), scaler())
    await engaging.keep()
    await engaging.agrees(
        [(person, kind, now) for (person, kind), count in done.items() for _ in range(count)]
    )


async def test_nothing_is_recorded_while_it_is_counted_anew(engaging: Engaging) -> None:
    """Also of people without an account: the lock does not depend on there being one to lock."""
    await engaging.person(1)
    await engaging.keep()
    async with engaging.pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "begin_recount")
        recording_it = asyncio.create_task(engaging.does(1, "page_visited"))
        await asyncio.sleep(0.2)
        assert not recording_it.done()
    await recording_it
    await engaging.keep()
    assert await points(engaging) == {1: 40}


FOLLOW = """
import asyncio, sys
from datetime import datetime
from caravan.buying_groups import scale
from caravan.campaigns import engagement_upkeep
from caravan.campaigns.plans import PlanCache
from caravan.stores import Stores

async def main(platform, engage, munchkin, at):
    scale.PEOPLE, scale.GROUPS = 5, 3
    stores = Stores(platform, engage, pool_size=2)
    pool, plans = await stores.engage(munchkin), PlanCache()
    while await engagement_upkeep.keep_page(pool, plans, datetime.fromisoformat(at)):
        print("page", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("pages", [3, 12])
async def test_following_goes_on_where_it_was_killed(engaging: Engaging, pages: int) -> None:
    done = []
    for n in range(1, 41):
        await engaging.account(n, {n: "decision-maker", n + 100: "influencer"})
        await engaging.does(n, "page_visited", NOON - timedelta(days=n % 3), n)
        done += [(n, "page_visited", NOON - timedelta(days=n % 3))] * n
    await engaging.keep()
    await engaging.agrees(done)
    before = len(await engaging.told("engagement_changed"))
    was = {
        row["id"]: row["engagement"]
        for row in await engaging.pool.fetch("select * from buying_groups")
    }
    engaging.world.pass_time(days=29)
    world = engaging.world
    follower = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        FOLLOW,
        world.stores.platform_dsn,
        world.stores.engage_dsn,
        world.munchkin,
        world.now.isoformat(),
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert follower.stdout is not None
    for _ in range(pages):
        assert await follower.stdout.readline()
    follower.kill()
    await follower.wait()
    behind = await engaging.pool.fetchval(
        "select count(*) from buying_groups where scale_id < (select max(id) from engagement_scales)"
    )
    assert behind > 0
    await engaging.keep()
    await engaging.agrees(done)
    now = {
        row["id"]: row["engagement"]
        for row in await engaging.pool.fetch("select * from buying_groups")
    }
    told = Counter(
        one["account_id"] for one in (await engaging.told("engagement_changed"))[before:]
    )
    assert set(told.values()) == {1}  # killed anywhere, each group's change is told once
    assert len(told) == sum(round(was[group]) != round(now[group]) for group in now)


async def test_scale_of_a_daily_run_is_of_the_day_it_began(engaging: Engaging) -> None:
    """Also where its first activity finds a worker behind midnight, but not where it is tried a day later."""
    await engaging.account(1, {1: "decision-maker"})
    await engaging.does(1, "form_filled")
    world = engaging.world
    asked = datetime.now(UTC)
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, scheduled_time=asked)
    renew = BuyingGroupActivities(world.stores, world.plans).renew_engagement
    request = UpkeepRequest(munchkin=world.munchkin, as_of=NOON)
    await environment.run(renew, request)
    assert (await engaging.scale())["day"] == NOON.date()
    environment.info = replace(environment.info, scheduled_time=asked - timedelta(days=1))
    await environment.run(renew, request)
    assert (await engaging.scale())["day"] == NOON.date() + timedelta(days=1)
