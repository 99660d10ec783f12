"""``deduplicate_email``: one message per address and e-mail while the first one's traversal is open."""

import asyncio
from datetime import timedelta

from caravan.campaigns import delivery_queue, mail_claims, stretch
from caravan.journeys.durations import Span
from caravan.journeys.limit_periods import period_of
from tests.world import World

JOURNEY = """
journey: once
audience: everyone
schedule: {end: 30 days}
deduplicate_email: true
start: one
nodes:
  one: {do: [{send_email: {template: hi}}], next: rest}
  rest: {wait: 3 days, next: two}
  two: {do: [{send_email: {template: hi}}], end: over}
"""
ACCOUNTS = "account_id,name\n" + "".join(f"{name},Acme {name}\n" for name in "abcd")
PEOPLE = """person_id,email,unsubscribed,account_id
p1,Same@x.example,,a
p2,same@X.example,,a
p3,same@x.example,,b
p4,other@x.example,,b
p5,out@x.example,true,c
p6,out@x.example,,d
"""


async def start(world: World, journey: str = JOURNEY) -> dict[str, int]:
    workspace = world.workspace(journey, ("hi",))
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    await world.enter(await world.publish(workspace, "once"))
    rows = await world.engage.fetch(
        "select t.id, a.external_id from traversals t join accounts a on a.id = t.account_id"
        " order by a.external_id"
    )
    return {row["external_id"]: row["id"] for row in rows}


async def outcomes(world: World, node: str = "one") -> dict[str, str]:
    rows = await world.engage.fetch(
        "select p.external_id, coalesce(l.reason, l.state) as outcome from ledger l"
        " join people p on p.id = l.person_id where l.node = $1",
        node,
    )
    return {row["external_id"]: row["outcome"] for row in rows}


async def test_address_is_mailed_once_by_whatever_accounts_it_comes(world: World) -> None:
    traversals = await start(world)
    for one in traversals.values():
        await world.walk(one)
    assert await outcomes(world) == {
        "p1": "accepted",
        "p2": "duplicate-address",
        "p3": "duplicate-address",
        "p4": "accepted",
        # who is not mailed takes nobody's place
        "p5": "unsubscribed",
        "p6": "accepted",
    }


async def test_accounts_that_come_at_once_mail_an_address_once(world: World) -> None:
    traversals = await start(world)
    await asyncio.gather(*(world.walk(one) for one in traversals.values()))
    sent = [recipient.casefold() for _, recipient in world.mailed()]
    assert sorted(sent) == ["other@x.example", "out@x.example", "same@x.example"]


async def test_address_is_free_again_when_the_first_has_left(world: World) -> None:
    traversals = await start(world)
    await world.walk(traversals["a"])
    world.pass_time(days=3)
    assert (await world.walk(traversals["a"])).ended is not None
    assert await outcomes(world, "two") == {"p1": "accepted", "p2": "duplicate-address"}
    await world.walk(traversals["b"])
    assert (await outcomes(world))["p3"] == "accepted"


async def test_another_try_of_the_same_message_is_no_duplicate(world: World) -> None:
    traversals = await start(world)
    await stretch.run(world.engage, world.plans, traversals["b"], 1, world.now)
    # this try dies between its claim and its hand-over
    await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversals["b"], 2, "try 1", world.now
    )
    await world.send(traversals["b"], claimant="another try")
    assert (await outcomes(world))["p3"] == "accepted"


async def test_journey_that_does_not_say_so_mails_everybody(world: World) -> None:
    traversals = await start(world, JOURNEY.replace("deduplicate_email: true\n", ""))
    for one in traversals.values():
        await world.walk(one)
    assert list((await outcomes(world)).values()).count("accepted") == 5


AGAIN = """
journey: once
audience: everyone
schedule: {end: 30 days}
deduplicate_email: true
start: one
nodes:
  one: {do: [{send_email: {template: hi}}, {send_email: {template: hi}}], next: rest}
  rest: {wait: 1 day, max_visits: {count: 1, end: over}, next: one}
"""


async def test_each_mail_of_a_node_counts_alone_and_a_later_visit_is_the_same_mail(
    world: World,
) -> None:
    traversals = await start(world, AGAIN)
    await world.walk(traversals["a"])
    world.pass_time(days=1)
    assert (await world.walk(traversals["a"])).ended is not None
    rows = await world.engage.fetch(
        "select l.visit, l.position, p.external_id as person, coalesce(l.reason, l.state) as outcome"
        " from ledger l join people p on p.id = l.person_id order by 1, 2, 3"
    )
    duplicate = "duplicate-address"
    assert [tuple(row) for row in rows] == [
        (1, 0, "p1", "accepted"), (1, 0, "p2", duplicate),
        (1, 1, "p1", "accepted"), (1, 1, "p2", duplicate),
        (2, 0, "p1", duplicate), (2, 0, "p2", duplicate),
        (2, 1, "p1", duplicate), (2, 1, "p2", duplicate),
    ]  # fmt: skip


LIMITS = "communication_limits: one\nlimits: [{per: person, at_most: 1, every: 1 week}]\n"
LIMITED = LIMITS + "---" + JOURNEY


async def has_had_enough(world: World, *people: str) -> None:
    """They have had their one message of the week from elsewhere."""
    await world.engage.execute(
        "insert into limit_counts (rule_id, subject_id, period, used, ends_at)"
        " select r.id, p.id, $2, 1, now() + interval '8 days' from limit_rules r, people p"
        " where p.external_id = any($1)",
        list(people),
        period_of(world.now, Span(count=1, unit="weeks"), "UTC"),
    )


async def test_whom_a_limit_stops_leaves_the_address_to_the_next(world: World) -> None:
    traversals = await start(world, LIMITED)
    await has_had_enough(world, "p1")
    for name in "ab":
        await world.walk(traversals[name])
    assert await outcomes(world) == {
        "p1": "limit-person",
        "p2": "accepted",
        "p3": "duplicate-address",
        "p4": "accepted",
    }


async def test_address_nobody_of_an_account_may_use_goes_to_the_next_account(world: World) -> None:
    traversals = await start(world, LIMITED)
    await has_had_enough(world, "p1", "p2")
    for name in "ab":
        await world.walk(traversals[name])
    assert await outcomes(world) == {
        "p1": "limit-person",
        "p2": "limit-person",
        "p3": "accepted",
        "p4": "accepted",
    }
    # who is too late for an address takes nothing of a limit
    assert await world.engage.fetchval("select count(*) from limit_slots") == 0


async def test_address_of_who_is_left_out_by_a_later_try_is_anybodys(world: World) -> None:
    traversals = await start(world)
    await stretch.run(world.engage, world.plans, traversals["a"], 1, world.now)
    await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversals["a"], 2, "try 1", world.now
    )
    await world.engage.execute(
        "update people set attributes = attributes || '{\"unsubscribed\": true}'"
        " where external_id in ('p1', 'p2')"
    )
    await world.send(traversals["a"], claimant="another try")
    await world.walk(traversals["b"])
    assert await outcomes(world) == {
        "p1": "unsubscribed",
        "p2": "duplicate-address",
        "p3": "accepted",
        "p4": "accepted",
    }


async def test_second_try_hands_the_address_on_and_what_has_left_keeps_it(world: World) -> None:
    traversals = await start(world)
    await stretch.run(world.engage, world.plans, traversals["a"], 1, world.now)
    out = "update people set attributes = attributes || '{\"unsubscribed\": true}' where external_id = $1"
    await world.engage.execute(out, "p2")
    claimed = await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversals["a"], 2, "try 1", world.now
    )
    assert isinstance(claimed, mail_claims.Claimed)
    await world.engage.execute("update ledger set state = 'accepted' where state = 'claimed'")
    await world.engage.execute(out, "p1")
    await world.send(traversals["a"], claimant="another try")
    await world.walk(traversals["b"])
    assert (await outcomes(world))["p3"] == "duplicate-address"


QUIET = """communication_limits: one
quiet_hours: [{from: "21:00", to: "08:00", zone: person, otherwise: drop}]
---"""


async def test_whom_quiet_hours_leave_out_leaves_the_address_to_the_next(world: World) -> None:
    world.now = world.now.replace(hour=12, minute=30)
    traversals = await start(world, QUIET + JOURNEY)
    await world.engage.execute(
        'update people set attributes = attributes || \'{"time_zone": "Asia/Tokyo"}\''
        " where external_id = 'p1'"
    )
    await world.walk(traversals["a"])
    assert await outcomes(world) == {"p1": "quiet-hours", "p2": "accepted"}


HELD = LIMITS + 'quiet_hours: [{from: "21:00", to: "08:00", zone: UTC}]\n---' + JOURNEY


async def test_who_waits_for_an_hour_has_the_address_until_a_limit_stops_them(
    world: World,
) -> None:
    world.now = world.now.replace(hour=23)
    traversals = await start(world, HELD)
    for name in "ab":
        await world.walk(traversals[name])
    assert await outcomes(world) == {
        "p1": "held",
        "p2": "duplicate-address",
        "p3": "duplicate-address",
        "p4": "held",
    }
    world.now += timedelta(hours=10)
    await has_had_enough(world, "p1")
    await delivery_queue.send_some(
        world.engage, world.plans, world.mailing, "q/1/0", lambda: world.now
    )
    assert (await outcomes(world))["p1"] == "limit-person"
    # a person at the address who comes later is mailed
    await world.walk(traversals["d"])
    await world.engage.execute(
        "update people set attributes = attributes || '{\"email\": \"same@x.example\"}' where external_id = 'p5'"
    )
    await world.engage.execute("update people set attributes = attributes - 'unsubscribed'")
    await world.walk(traversals["c"])
    assert (await outcomes(world))["p5"] == "accepted"
