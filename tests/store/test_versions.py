"""Publishing over accounts inside: who moves, where they go on, who stays, and what nobody loses."""

import asyncio
from datetime import datetime, timedelta

import pytest

from caravan.campaigns import stretch
from caravan.campaigns.served import Served
from caravan.engage import journeys, life_cycle, sql, versions
from caravan.engage.versions import Inside, Policy
from caravan.journeys.comparing import compare
from caravan.journeys.compiler import compile_journey
from caravan.journeys.life_cycle import Refused
from caravan.journeys.state import State
from starter import journey_plan
from tests.world import World

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 60 days}
start: hello
nodes:
  hello:
    do: [{account_interesting_moment: {type: web, text: In}}, {send_email: {template: hi}}, {account_interesting_moment: {type: web, text: Sent}}]
    next: repose
  repose: {wait: 10 days, next: ears}
  ears:
    listen: [{form_filled: {form: meeting}}]
    timeout: {after: 5 days, end: silent}
    next: mark
  mark:
    do: [{account_interesting_moment: {type: web, text: Marked}}]
    end: over
"""
ACCOUNTS = "account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(3))
PEOPLE = "person_id,email,account_id\n" + "".join(
    f"p{n}{k},p{n}{k}@x.example,a{n}\n" for n in range(3) for k in range(2)
)
MIGRATE = Policy(Inside.migrate)


async def start(world: World, journey: str = JOURNEY) -> list[int]:
    workspace = world.workspace(journey, ("hi",))
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    await world.enter(await world.publish(workspace, "trip"))
    rows = await world.engage.fetch(
        "select t.id from traversals t join accounts a on a.id = t.account_id order by a.external_id"
    )
    return [row["id"] for row in rows]


async def edited(
    world: World, *changes: tuple[str, str], policy: Policy = MIGRATE, of: str = JOURNEY
) -> int:
    """Publish the journey with these texts replaced."""
    for old, new in changes:
        assert old in of
        of = of.replace(old, new)
    return await world.publish(world.workspace(of, ("hi",)), "trip", policy)


async def serve(world: World, traversal: int, step_no: int | None = None) -> Served:
    step = step_no or (await world.state(traversal)).step_no
    return await stretch.run(world.engage, world.plans, traversal, step, world.now)


async def version(world: World, traversal: int) -> int:
    return int(
        await world.engage.fetchval(
            "select j.version from traversals t join journeys j on j.id = t.journey_id"
            " where t.id = $1",
            traversal,
        )
    )


def until(state: State) -> datetime:
    assert state.pending is not None
    return state.pending.until


async def moments(world: World, traversal: int) -> list[str]:
    rows = await world.engage.fetch(
        "select e.fields ->> 'text' as text from activities e join traversals t using (account_id)"
        " where t.id = $1 and e.type = 'account_interesting_moment' order by e.id",
        traversal,
    )
    return [row["text"] for row in rows]


async def test_pinned_accounts_finish_on_their_version_and_new_ones_enter_the_new(
    world: World,
) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    await edited(world, ("wait: 10 days", "wait: 1 day"), policy=versions.PIN)
    world.pass_time(days=5)
    await world.walk(first)
    assert (await world.state(first)).position == "repose"
    assert await version(world, first) == 1


async def test_account_at_rest_moves_keeping_arrival_and_visits(world: World) -> None:
    [first, *_] = await start(world)
    before = await world.walk(first)
    world.pass_time(days=2)
    await edited(world, ("wait: 10 days", "wait: 20 days"))
    woken = {row["traversal_id"] for row in await world.engage.fetch("select * from wakeups")}
    assert first in woken
    ran = await serve(world, first)
    assert ran.moved is not None
    assert (ran.moved.version, ran.moved.node, ran.moved.step_no) == (2, "repose", before.step_no)
    after = await world.state(first)
    assert after.arrived_at == before.arrived_at
    assert after.visits == before.visits
    assert until(after) - until(before) == timedelta(days=10)
    assert await version(world, first) == 2
    assert (await serve(world, first)).moved is None


async def test_end_computed_anew_that_is_past_lets_the_account_leave_at_once(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    world.pass_time(days=3)
    await edited(world, ("wait: 10 days", "wait: 2 days"))
    ran = await serve(world, first)
    assert ran.outcomes[0].edge == "next"
    state = await world.state(first)
    assert (state.position, state.arrived_at) == ("ears", world.now)


async def test_node_map_renames_position_visits_and_who_was_heard(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    world.pass_time(days=2)
    policy = Policy(Inside.migrate, {"repose": "pause", "hello": "welcome"})
    renamed = [("repose", "pause"), ("hello", "welcome")]
    await edited(world, *renamed, policy=policy)
    await serve(world, first)
    state = await world.state(first)
    assert state.position == "pause"
    assert state.visits["pause"] == state.visits["welcome"] == 1
    world.pass_time(days=9)
    assert (await world.walk(first)).position == "ears"


async def test_map_of_nodes_that_are_not_there_is_refused(world: World) -> None:
    await start(world)
    for names in ({"repose": "nowhere"}, {"nowhere": "repose"}):
        with pytest.raises(Refused, match="nowhere"):
            await edited(world, ("10 days", "9 days"), policy=Policy(Inside.migrate, names))
    assert await world.engage.fetchval("select count(*) from journeys") == 1


async def test_account_in_the_middle_of_a_do_finishes_it_first(world: World) -> None:
    [first, *_] = await start(world)
    await serve(world, first)
    assert (await world.state(first)).segment == 1  # its mail is to be sent
    await edited(world, ("text: Sent", "text: Posted"), ("wait: 10 days", "wait: 20 days"))
    sent = await world.send(first, go_on=True)
    assert sent.moved is None
    state = await world.state(first)
    assert (state.position, state.segment, state.pending) == ("repose", 0, None)
    assert await version(world, first) == 1
    assert await moments(world, first) == ["In", "Sent"]
    ran = await serve(world, first)
    assert ran.moved is not None
    assert until(await world.state(first)) == world.now + timedelta(days=20)


async def test_account_that_has_not_begun_begins_by_the_new_version(world: World) -> None:
    [first, *_] = await start(world)
    await edited(world, ("start: hello", "start: begin"), ("hello:", "begin:"))
    ran = await serve(world, first, 1)
    assert ran.moved is not None
    assert ran.moved.node == ""
    assert [outcome.command.node for outcome in ran.outcomes] == ["begin"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([("repose", "pause")], "the new version has no node repose"),
        (
            [("repose: {wait: 10 days, next: ears}", "repose: {do: [], next: ears}")],
            "repose is do in the new version",
        ),
    ],
)
async def test_account_without_counterpart_stays_for_good_and_is_listed(
    world: World, changes: list[tuple[str, str]], why: str
) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    await edited(world, *changes)
    row = (await sql.fetch(world.engage, "journeys", slug="trip"))[-1]
    plan = await journeys.load_plan(world.engage, row["plan_hash"])
    places = await versions.standing(world.engage, "trip", 2, plan, {})
    [stays] = await versions.staying(world.engage, places)
    assert (stays["account"], stays["version"], stays["node"]) == ("a0", 1, "repose")
    assert stays["why"].startswith(why)
    ran = await serve(world, first)
    assert ran.moved is None
    assert until(await world.state(first)) == world.now + timedelta(days=10)
    world.pass_time(days=11)
    assert (await world.walk(first)).position == "ears"
    assert await version(world, first) == 1


async def test_who_stayed_moves_once_a_map_is_given(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    await edited(world, ("repose", "pause"))
    await serve(world, first)
    assert await version(world, first) == 1
    policy = Policy(Inside.migrate, {"repose": "pause"})
    stored = await journeys.publish_stored(world.engage, "trip", world.now, policy=policy)
    assert stored.change == "unchanged"
    await serve(world, first)
    assert (await world.state(first)).position == "pause"


async def test_map_that_is_said_again_means_the_same(world: World) -> None:
    """By a command whose answer was lost, say: one behind the other two swaps would be none."""
    journey = JOURNEY.replace("next: ears}", "next: doze}").replace(
        "  ears:", "  doze: {wait: 1 day, next: ears}\n  ears:"
    )
    [first, *_] = await start(world, journey)
    await serve(world, first)  # its mail is to be sent: it moves behind it
    swapped = journey.replace("repose", "other").replace("doze", "repose").replace("other", "doze")
    policy = Policy(Inside.migrate, {"repose": "doze", "doze": "repose"})
    await edited(world, of=swapped, policy=policy)
    await journeys.publish_stored(world.engage, "trip", world.now, policy=policy)
    await world.send(first, go_on=True)
    await serve(world, first)
    assert (await world.state(first)).position == "doze"
    assert until(await world.state(first)) == world.now + timedelta(days=10)


async def test_wrong_map_is_mended_by_the_right_one(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    wrong = Policy(Inside.migrate, {"repose": "mark"})
    await edited(world, ("repose", "pause"), policy=wrong)
    assert (await serve(world, first)).moved is None
    right = Policy(Inside.migrate, {"repose": "pause"})
    await journeys.publish_stored(world.engage, "trip", world.now, policy=right)
    assert (await serve(world, first)).moved is not None
    assert (await world.state(first)).position == "pause"


async def test_policy_counts_also_where_the_version_is_published_already(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    await edited(world, ("10 days", "11 days"), policy=versions.PIN)
    assert (await serve(world, first)).moved is None
    await edited(world, ("10 days", "11 days"), policy=Policy(Inside.migrate))
    assert (await serve(world, first)).moved is not None
    assert await world.engage.fetchval("select max(version) from journeys") == 2


async def test_events_since_arrival_count_when_a_listen_is_armed_anew(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    world.pass_time(days=10)
    await world.walk(first)
    world.pass_time(days=1)
    await world.happen("form_filled", person="p00", form="demo")  # not yet listened for
    world.pass_time(days=1)
    await edited(world, ("form: meeting", "form: demo"))
    ran = await serve(world, first)
    assert [outcome.edge for outcome in ran.outcomes] == [None, "1", "next"]
    assert (await world.state(first)).ended is not None
    assert (
        await world.engage.fetchval("select count(*) from listeners where closed_at is null") == 0
    )


async def test_what_was_heard_before_the_move_is_taken_first(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    world.pass_time(days=10)
    await world.walk(first)
    await world.happen("form_filled", person="p00", form="meeting")
    await edited(world, ("form: meeting", "form: demo"), ("text: Marked", "text: Noted"))
    ran = await serve(world, first)
    assert ran.moved is None
    assert (await world.state(first)).position == "mark"
    ran = await serve(world, first)
    assert ran.moved is not None
    assert (await moments(world, first))[-1] == "Noted"


async def test_exit_of_the_new_version_is_looked_at_when_an_account_moves(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    exits = "exits: [{label: gone, when: {account: {name: Acme 0}}}]\nstart:"
    await edited(world, ("start:", exits))
    await serve(world, first)
    ended = (await world.state(first)).ended
    assert ended is not None
    assert (ended.reason, ended.label) == ("exit", "gone")


async def test_held_and_resting_accounts_move_while_paused_and_nothing_begins(world: World) -> None:
    [first, second, _] = await start(world)
    await world.walk(first)
    await life_cycle.pause(world.engage, "trip", world.now)
    await world.walk(second)  # held at its first node
    await edited(world, ("wait: 10 days", "wait: 20 days"))
    ran = await serve(world, first)
    assert ran.moved is not None
    assert until(await world.state(first)) == world.now + timedelta(days=20)  # rests on
    ran = await serve(world, second)
    assert ran.moved is not None
    assert ran.held_until is not None
    assert await moments(world, second) == []
    await life_cycle.resume(world.engage, "trip", world.now)
    await world.walk(second)
    assert (await world.state(second)).position == "repose"


async def test_deadline_is_that_of_the_new_version(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    await edited(world, ("end: 60 days", "end: 5 days"))
    await serve(world, first)
    assert until(await world.state(first)) == world.now + timedelta(days=5)
    world.pass_time(days=5)
    ended = (await world.walk(first)).ended
    assert ended is not None
    assert ended.reason == "end-date"


async def test_exit_takes_everybody_out_and_again_what_a_dead_command_left(world: World) -> None:
    ids = await start(world)
    await world.walk(ids[0])
    await serve(world, ids[1])  # mail is claimed next
    await edited(world, ("10 days", "9 days"), policy=Policy(Inside.exit))
    # the command died here: the reconciler has all of it
    gone = [
        row["id"]
        async for page in life_cycle.take_out(world.engage, None, world.now)
        for row in page
    ]
    assert sorted(gone) == sorted(ids)
    rows = await world.engage.fetch("select distinct reason from traversals")
    assert [row["reason"] for row in rows] == ["removed"]
    ran = await serve(world, ids[0])
    assert ran.ended is not None
    assert ran.outcomes == []


async def test_moves_go_on_to_the_version_published_meanwhile(world: World) -> None:
    """Who has not moved yet goes straight to the third version, by both node maps."""
    [first, second, _] = await start(world)
    await world.walk(first)
    await world.walk(second)
    await edited(world, ("repose", "pause"), policy=Policy(Inside.migrate, {"repose": "pause"}))
    await serve(world, second)
    await edited(world, ("repose", "sleep"), policy=Policy(Inside.migrate, {"pause": "sleep"}))
    for traversal in (first, second):
        ran = await serve(world, traversal)
        assert ran.moved is not None
        assert (ran.moved.version, ran.moved.state.position) == (3, "sleep")


async def test_workflow_that_begins_anew_is_put_behind_the_last_move(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    world.pass_time(days=3)
    await edited(world, ("wait: 10 days", "wait: 2 days"))
    await serve(world, first)
    ran = await serve(world, first, 1)
    assert ran.moved is not None
    state = ran.moved.state
    for outcome in ran.outcomes:
        state = stretch.core.apply(ran.control, state, outcome)
    assert state == await world.state(first)


async def test_publish_waits_for_nobody_and_a_stretch_under_way_moves_next_time(
    world: World,
) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    async with world.engage.acquire() as conn, conn.transaction():
        await sql.fetchrow(conn, "lock_traversal", traversal_id=first)
        await asyncio.wait_for(edited(world, ("10 days", "9 days")), 10)
        waiting = [asyncio.create_task(serve(world, first)) for _ in range(2)]
        await asyncio.sleep(0.1)
        assert not any(one.done() for one in waiting)
    ran = await asyncio.gather(*waiting)
    assert all(one.moved is not None and one.moved.version == 2 for one in ran)
    moves = "select count(*) from steps where kind = 'migrate'"
    assert await world.engage.fetchval(moves) == 1


async def test_nobody_changes_versions_behind_an_abort(world: World) -> None:
    ids = await start(world)
    for one in ids:
        await world.walk(one)
    await edited(world, ("10 days", "9 days"))
    moving = [asyncio.create_task(serve(world, one)) for one in ids]
    await life_cycle.abort(world.engage, "trip")
    async for _ in life_cycle.take_out(world.engage, "trip", world.now):
        pass
    left = "select count(*) from traversals where ended_at is null"
    assert await world.engage.fetchval(left) == 0
    await asyncio.gather(*moving)
    assert await world.engage.fetchval(left) == 0


@pytest.mark.parametrize("how", ["abort", "exit"])
async def test_nobody_moves_who_is_to_be_taken_out(world: World, how: str) -> None:
    [first, second, _] = await start(world)
    await edited(world, ("10 days", "9 days"))
    async with world.engage.acquire() as conn, conn.transaction():
        # held up by whoever takes it out, once it has seen that it is to move
        await conn.execute("select from journeys where version = 1 for no key update")
        moving = asyncio.create_task(serve(world, first, 1))
        await asyncio.sleep(0.3)
        changed = "state = 'aborted'" if how == "abort" else "empties = true"
        await conn.execute(f"update journeys set {changed} where version = 1")
    for ran in (await moving, await serve(world, second, 1)):
        assert ran.moved is None
        assert (
            ran.outcomes
        )  # until its row is closed it goes on where it is: its workflow has not failed


async def test_version_that_is_led_to_is_not_finished_while_it_is_empty(world: World) -> None:
    ids = await start(world)
    await world.walk(ids[0])
    await edited(world, ("end: 60 days", "end: 5 days"))
    world.pass_time(days=6)
    await journeys.note_ends(world.engage, world.now)
    rows = await sql.fetch(world.engage, "journeys", slug="trip")
    assert [row["state"] for row in rows] == ["closed", "closed"]
    for traversal in ids:
        await world.walk(traversal)
    await journeys.note_ends(world.engage, world.now)
    rows = await sql.fetch(world.engage, "journeys", slug="trip")
    assert [(row["state"], row["inside"]) for row in rows] == [("finished", 0), ("finished", 0)]


async def test_rollback_publishes_an_earlier_version_and_accounts_come_back(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    await edited(world, ("wait: 10 days", "wait: 20 days"))
    await serve(world, first)
    stored, repeated = await journeys.rollback(world.engage, "trip", world.now, policy=MIGRATE)
    assert (stored.version, stored.change, repeated) == (3, "published", 1)
    await serve(world, first)
    assert await version(world, first) == 3
    assert until(await world.state(first)) == world.now + timedelta(days=10)
    again, _ = await journeys.rollback(world.engage, "trip", world.now, to=1)
    assert (again.version, again.change) == (3, "unchanged")
    with pytest.raises(Refused, match="--to"):
        await journeys.rollback(world.engage, "trip", world.now)
    forward, _ = await journeys.rollback(world.engage, "trip", world.now, to=2)
    assert (forward.version, forward.change) == (4, "published")
    campaigns = await sql.fetch(world.engage, "campaigns_of_journey", slug="trip")
    assert {row["version"] for row in campaigns} == {1, 2, 3, 4}


async def plan_rows(world: World, text: str, **names: str) -> dict[str, tuple[int, int, str]]:
    """What ``journey plan`` tells of those inside: by node how many, how many stay, and what it says."""
    rows = await sql.fetch(world.engage, "journeys", slug="trip")
    new = compile_journey(world.workspace(text, ("hi",)), "trip").plan
    last = await journeys.load_plan(world.engage, rows[-1]["plan_hash"])
    number = rows[-1]["version"] + 1
    standing = await versions.standing(world.engage, "trip", number, new, names)
    told = journey_plan._told(compare(last, new, names), standing)
    return {
        row["node"]: (row["inside"], row["migrate"]["stay"], row["with_migrate"])
        for row in told
        if row["inside"]
    }


async def test_plan_tells_accounts_under_an_earlier_map_where_they_would_go_on(
    world: World,
) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    renamed = JOURNEY.replace("repose", "pause")
    await edited(world, of=renamed, policy=Policy(Inside.migrate, {"repose": "pause"}))
    # it has not moved yet: it goes on at pause all the same, or at what that is called now
    told = await plan_rows(world, renamed.replace("10 days", "9 days"))
    assert told == {"hello": (2, 0, "2 go on"), "pause": (1, 0, "1 go on")}
    again = renamed.replace("pause", "sleep")
    assert (await plan_rows(world, again, pause="sleep"))["sleep"] == (1, 0, "1 go on")
    gone = await plan_rows(world, again)
    assert gone["pause"] == (1, 1, "1 stay: the new version has no node pause")


async def test_who_finishes_a_node_that_leads_nowhere_is_listed(world: World) -> None:
    [first, *_] = await start(world)
    await serve(world, first)  # its mail is to be sent
    text = JOURNEY.replace("repose", "pause")
    why = "behind hello: the new version has no node repose"
    told = await plan_rows(world, text)
    assert told["hello"] == (3, 1, f"2 go on, 1 stay: {why}")
    await edited(world, of=text)
    row = (await sql.fetch(world.engage, "journeys", slug="trip"))[-1]
    plan = await journeys.load_plan(world.engage, row["plan_hash"])
    places = await versions.standing(world.engage, "trip", 2, plan, {})
    [stays] = await versions.staying(world.engage, places)
    assert (stays["account"], stays["node"], stays["why"]) == ("a0", "hello", why)
    await world.send(first, go_on=True)
    await serve(world, first)
    assert ((await world.state(first)).position, await version(world, first)) == ("repose", 1)


async def test_arrival_is_counted_once_however_often_its_node_is_renamed(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)

    async def arrivals() -> dict[str, tuple[int, int]]:
        rows = await world.engage.fetch("select id from journeys")
        counts = await sql.fetch(
            world.engage, "position_counts", journey_ids=[row["id"] for row in rows]
        )
        return {row["node"]: (row["arrivals"], row["inside"]) for row in counts}

    assert await arrivals() == {"hello": (1, 0), "repose": (1, 1)}
    policy = Policy(Inside.migrate, {"repose": "pause"})
    await edited(world, ("repose", "pause"), policy=policy)
    await serve(world, first)
    assert await arrivals() == {"hello": (1, 0), "pause": (1, 1)}
    await edited(world, policy=Policy(Inside.migrate, {"pause": "repose"}))
    await serve(world, first)
    assert (await world.state(first)).visits["repose"] == 2  # no key comes again
    assert await arrivals() == {"hello": (1, 0), "repose": (1, 1)}
    world.pass_time(days=11)
    await world.walk(first)
    assert await arrivals() == {"hello": (1, 0), "repose": (1, 0), "ears": (1, 1)}


async def test_who_is_to_move_goes_on_until_the_version_starts(world: World) -> None:
    [first, second, _] = await start(world)
    await world.walk(first)
    start_at = world.now + timedelta(days=11)
    schedule = ("{end: 60 days}", f"{{start: {start_at.isoformat()}, end: 60 days}}")
    journey_id = await edited(world, schedule, ("wait: 10 days", "wait: 20 days"))
    woken = "select count(*) from wakeups where reason = 'moved'"
    assert await world.engage.fetchval(woken) == 0
    ran = await serve(world, first)
    assert (ran.moved, await version(world, first)) == (None, 1)
    world.pass_time(days=10)
    assert (await world.walk(first)).position == "ears"
    assert (await world.walk(second)).position == "repose"  # nobody is held up
    world.pass_time(days=1)
    [begun] = await journeys.note_starts(world.engage, world.now)
    assert begun["id"] == journey_id
    assert await world.engage.fetchval(woken) == 3
    for traversal in (first, second):
        ran = await serve(world, traversal)
        assert ran.moved is not None
        assert await version(world, traversal) == 2
    assert until(await world.state(second)) == world.now + timedelta(days=19)


async def test_workflow_that_knows_any_number_of_steps_comes_to_the_same_state(
    world: World,
) -> None:
    """Whatever reply was lost: asked with any step, the stored ones lead to where the row stands."""
    [first, *_] = await start(world)
    known = {1: State()}
    while (state := await world.state(first)).pending is None:
        await stretch.run(world.engage, world.plans, first, state.step_no, world.now, max_steps=1)
        await world.send(first)
        known[(await world.state(first)).step_no] = await world.state(first)
    old = (await serve(world, first)).control
    await edited(world, ("repose", "sleep"), policy=Policy(Inside.migrate, {"repose": "sleep"}))
    await serve(world, first)
    known[(await world.state(first)).step_no] = await world.state(first)
    await edited(world, ("repose", "sleep"), ("wait: 10 days", "wait: 1 day"))
    world.pass_time(days=2)
    await world.walk(first)
    final = await world.state(first)
    for step_no, state in known.items():
        ran = await serve(world, first, step_no)
        assert ran.moved is not None
        assert ran.moved.version == 3
        assert ran.moved.state.step_no > state.step_no
        state = ran.moved.state
        for outcome in ran.outcomes:
            state = stretch.core.apply(ran.control, state, outcome)
        assert state == final
    assert old.nodes.keys() == {"hello", "repose", "ears", "mark"}


SHARED = """
journey: trip
audience: everyone
schedule: {end: 60 days}
exits: [{label: gone, when: {did: {event: form_filled, where: {form: leave}}}}]
start: ears
nodes:
  ears:
    listen: [{form_filled: {form: never}}]
    timeout: {after: 10 days}
    end: over
"""


async def test_moves_events_and_publishes_at_once_end_in_no_deadlock(world: World) -> None:
    """Accounts that share their people: whoever records for one has all of them locked."""
    workspace = world.workspace(SHARED)
    relations = "".join(f"a{n},p{k}\n" for n in range(6) for k in range(4))
    await world.load(
        workspace,
        accounts="account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(6)),
        people="person_id,email\n" + "".join(f"p{k},p{k}@x.example\n" for k in range(4)),
        relations=f"account_id,person_id\n{relations}",
    )
    ids = await world.enter(await world.publish(workspace, "trip"))
    for one in ids:
        await world.walk(one)
    for days in range(11, 17):
        moving = [asyncio.create_task(serve(world, one)) for one in ids]
        happening = [
            asyncio.create_task(world.happen("form_filled", person=f"p{k}", form=str(days)))
            for k in range(4)
        ]
        await edited(world, ("after: 10 days", f"after: {days} days"), of=SHARED)
        await asyncio.gather(*moving, *happening)
    leaving = asyncio.create_task(world.happen("form_filled", person="p1", form="leave"))
    await asyncio.gather(leaving, *(serve(world, one) for one in ids))
    for one in ids:
        await world.walk(one)
        ended = (await world.state(one)).ended
        assert ended is not None
        assert ended.label == "gone"
