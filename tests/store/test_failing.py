"""A journey whose messages fail is paused: over a tenth of twenty or more, within an hour."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.engage import failing, journeys, life_cycle, sql
from tests.store.test_pause_and_abort import JOURNEY, start
from tests.world import World


async def settle(
    world: World, states: dict[str, int], *, traversal: int = 1, ago: timedelta = timedelta()
) -> None:
    """So many messages of a traversal came to each state so long ago."""
    for state, number in states.items():
        await world.engage.execute(
            "insert into ledger (traversal_id, node, visit, position, person_id, action, state, claimed_at, settled_at)"
            " select $1, $2, 1, 0, n, 'send_email', $3, $4, $4 from generate_series(1, $5) n",
            traversal,
            f"{state} {world.now - ago}",
            state,
            world.now - ago,
            number,
        )


async def unfit(world: World, number: int, action: str) -> None:
    """So many of an action's people were left out because it could not be made of their data."""
    await world.engage.execute(
        "insert into ledger (traversal_id, node, visit, position, person_id, action, state, reason, claimed_at, settled_at)"
        " select 1, $1, 1, 0, n, $1, 'skipped', 'bad-value', $2, $2 from generate_series(1, $3) n",
        action,
        world.now,
        number,
    )


async def test_messages_that_cannot_be_made_fail_and_other_actions_do_not(world: World) -> None:
    await start(world)
    await unfit(world, 50, "update_person")
    assert await failing.stop_failing(world.engage, world.now) == []
    await unfit(world, 21, "send_email")
    await settle(world, {"refused": 1, "accepted": 2})
    [stopped] = await failing.stop_failing(world.engage, world.now)
    assert stopped.why == (
        "22 of 24 messages failed within an hour (1 refused and 21 not made of their data)"
    )


async def paused(world: World, slug: str = "trip") -> tuple[str | None, str | None]:
    row = (await sql.fetch(world.engage, "journeys", slug=slug))[-1]
    return row["paused_by"], row["paused_why"]


async def test_journey_whose_messages_fail_is_paused_and_says_so(world: World) -> None:
    await start(world)
    await settle(world, {"accepted": 30, "refused": 3, "in_doubt": 1})
    [stopped] = await failing.stop_failing(world.engage, world.now)
    why = "4 of 34 messages failed within an hour (3 refused and 1 in doubt)"
    assert (stopped.slug, stopped.versions, stopped.why) == ("trip", (1,), why)
    assert await paused(world) == ("failures", why)
    assert await failing.stop_failing(world.engage, world.now) == []  # it is paused


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    accepted=st.integers(0, 60),
    refused=st.integers(0, 8),
    in_doubt=st.integers(0, 4),
    deferred=st.integers(0, 40),
)
async def test_rule_is_a_tenth_of_twenty_or_more(
    world: World, accepted: int, refused: int, in_doubt: int, deferred: int
) -> None:
    if not await world.engage.fetchval("select count(*) from traversals"):
        await start(world)
    await world.engage.execute("delete from ledger")
    await world.engage.execute("update journeys set paused_at = null, watched_from = null")
    counts = {
        "accepted": accepted, "refused": refused, "in_doubt": in_doubt,
        "deferred": deferred, "skipped": 30,
    }  # fmt: skip
    await settle(world, counts)
    failed, settled = refused + in_doubt, accepted + refused + in_doubt
    stopped = await failing.stop_failing(world.engage, world.now)
    assert bool(stopped) == (settled >= 20 and failed * 10 > settled)


async def test_what_failed_more_than_an_hour_ago_counts_no_more(world: World) -> None:
    await start(world)
    await settle(world, {"refused": 50}, ago=timedelta(minutes=61))
    await settle(world, {"accepted": 20, "refused": 2})
    assert await failing.stop_failing(world.engage, world.now) == []


async def test_resume_begins_anew(world: World) -> None:
    await start(world)
    await settle(world, {"refused": 50}, ago=timedelta(minutes=1))
    assert await failing.stop_failing(world.engage, world.now)
    await life_cycle.resume(world.engage, "trip", world.now)
    assert await paused(world) == (None, None)
    assert await failing.stop_failing(world.engage, world.now) == []
    world.pass_time(minutes=1)
    await settle(world, {"refused": 19})
    assert await failing.stop_failing(world.engage, world.now) == []
    await settle(world, {"in_doubt": 1})
    assert await failing.stop_failing(world.engage, world.now)


async def test_one_that_was_let_go_on_since_the_look_is_left_alone(world: World) -> None:
    await start(world)
    await settle(world, {"refused": 50}, ago=timedelta(minutes=1))
    [row] = await sql.fetch(
        world.engage, "failing_journeys", since=world.now - failing.WINDOW, fewest=20, one_in=10
    )
    await life_cycle.pause(world.engage, "trip", world.now)
    await life_cycle.resume(world.engage, "trip", world.now)
    assert not await sql.fetch(
        world.engage,
        "stop_failing",
        slug="trip",
        watched_from=row["watched_from"],
        at=world.now,
        why="",
    )
    assert await paused(world) == (None, None)


async def test_operators_pause_stays_theirs(world: World) -> None:
    await start(world)
    await life_cycle.pause(world.engage, "trip", world.now)
    await settle(world, {"refused": 50})
    assert await failing.stop_failing(world.engage, world.now) == []
    assert await paused(world) == ("operator", None)


async def test_pause_by_hand_takes_over_from_failures(world: World) -> None:
    await start(world)
    await settle(world, {"refused": 50})
    assert await failing.stop_failing(world.engage, world.now)
    assert (await life_cycle.pause(world.engage, "trip", world.now)).versions == (1,)
    assert await paused(world) == ("operator", None)


async def test_new_version_stays_paused_and_counts_what_its_journey_sent(world: World) -> None:
    await start(world)
    await settle(world, {"refused": 50})
    assert await failing.stop_failing(world.engage, world.now)
    workspace = world.workspace(JOURNEY.replace("2 days", "3 days"), ("hi",))
    await world.publish(workspace, "trip")
    assert (await paused(world))[0] == "failures"
    changed = await life_cycle.resume(world.engage, "trip", world.now)
    assert changed.versions == (1, 2)
    world.pass_time(minutes=1)
    await settle(world, {"refused": 50})  # of an account inside the first version
    [stopped] = await failing.stop_failing(world.engage, world.now)
    assert stopped.versions == (1, 2)


async def test_other_journeys_go_on(world: World) -> None:
    ids = await start(world)
    await journeys.duplicate(world.engage, "trip", "other")
    await journeys.publish_stored(world.engage, "other", world.now)
    await world.engage.execute("update traversals set slug = 'other' where id = $1", ids[1])
    await settle(world, {"refused": 50}, traversal=ids[0])
    await settle(world, {"accepted": 50}, traversal=ids[1])
    [stopped] = await failing.stop_failing(world.engage, world.now)
    assert stopped.slug == "trip"
    assert await paused(world, "other") == (None, None)
