"""Listeners and events: none is lost, the first commit wins, no event moves a traversal twice."""

import asyncio

from caravan.campaigns import stretch
from tests.world import World

JOURNEY = """
journey: ears
audience: everyone
schedule: {end: 30 days}
start: hear
nodes:
  hear:
    listen:
      - form_filled: {form: meeting, next: met}
      - page_visited: {url: {contains: /price}, times: 2, who: {person: {country: SE}}, next: priced}
      - email_opened: {people: 2, next: opened}
      - account_changed: {field: source_type, to: partner, next: changed}
    look_back: 10 minutes
    timeout: {after: 1 day, end: silence}
  met: {do: [], next: again}
  again:
    listen: [{form_filled: {form: meeting}}]
    look_back: 10 minutes
    timeout: {after: 1 day, end: once}
    end: twice
  priced: {do: [], end: priced}
  opened: {do: [], end: opened}
  changed: {do: [], end: changed}
"""

PEOPLE = "person_id,email,country,account_id\np,p@a.example,SE,a\nq,q@a.example,NO,a\nr,r@a.example,SE,a\n"


async def start(world: World) -> int:
    workspace = world.workspace(JOURNEY)
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=PEOPLE)
    [traversal] = await world.enter(await world.publish(workspace, "ears"))
    return traversal


async def test_event_moves_the_account_by_its_own_edge(world: World) -> None:
    traversal = await start(world)
    await world.walk(traversal)
    await world.happen("form_filled", person="q", form="other")
    assert await world.engage.fetchval("select count(*) from wakeups") == 0
    await world.happen("form_filled", person="q", form="meeting")
    assert await world.engage.fetchval("select count(*) from wakeups") == 1
    assert (await world.walk(traversal)).position == "again"


async def test_one_event_does_not_move_a_traversal_twice(world: World) -> None:
    traversal = await start(world)
    await world.walk(traversal)
    await world.happen("form_filled", person="q", form="meeting")
    # `again` looks back far enough to see the event that ended `hear`
    assert (await world.walk(traversal)).position == "again"
    world.pass_time(seconds=1)
    await world.happen("form_filled", person="q", form="meeting")
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "twice"


async def test_who_and_times_are_of_one_person(world: World) -> None:
    traversal = await start(world)
    await world.walk(traversal)
    for person in ("p", "q", "q", "r"):
        await world.happen("page_visited", person=person, url="https://us.example/price")
        world.pass_time(seconds=1)
    assert (await world.walk(traversal)).position == "hear"
    await world.happen("page_visited", person="p", url="https://us.example/PRICE/1")
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "priced"


async def test_people_are_counted_apart(world: World) -> None:
    traversal = await start(world)
    await world.walk(traversal)
    await world.happen("email_opened", person="p", template="x")
    await world.happen("email_opened", person="p", template="x")
    assert (await world.walk(traversal)).position == "hear"
    await world.happen("email_opened", person="q", template="x")
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "opened"


async def test_look_back_counts_an_event_just_before_arrival(world: World) -> None:
    traversal = await start(world)
    await world.happen("email_opened", person="p")
    await world.happen("email_opened", person="q")
    world.pass_time(minutes=9)
    # the account has entered; its clock of arrival is its entry, nine minutes ago
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "opened"


async def test_change_of_the_account_from_the_platform_is_heard(world: World) -> None:
    traversal = await start(world)
    await world.walk(traversal)
    workspace = world.workspace(JOURNEY)
    await world.load(workspace, accounts="account_id,name,source_type\na,Acme,Partner\n")
    await world.follow()
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "changed"


async def test_forced_overlaps_of_listener_and_event_lose_none(world: World) -> None:
    """Arm and record at the same moment, 400 times: each account must have heard."""
    count = 400
    workspace = world.workspace(JOURNEY)
    await world.load(
        workspace,
        accounts="account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(count)),
        people="person_id,email,account_id\n"
        + "".join(f"p{n},p{n}@a.example,a{n}\n" for n in range(count)),
    )
    traversals = await world.enter(await world.publish(workspace, "ears"))
    owners = {
        row["id"]: row["external_id"].replace("a", "p")
        for row in await world.engage.fetch(
            "select t.id, a.external_id from traversals t join accounts a on a.id = t.account_id"
        )
    }
    assert len(traversals) == count

    async def overlap(traversal: int) -> None:
        await asyncio.gather(
            stretch.run(world.engage, world.plans, traversal, 1, world.now),
            world.happen("form_filled", person=owners[traversal], form="meeting"),
        )

    for begin in range(0, count, 5):
        await asyncio.gather(*(overlap(one) for one in traversals[begin : begin + 5]))
    lost = await world.engage.fetchval(
        "select count(*) from listeners where node = 'hear' and closed_at is null"
    )
    assert lost == 0
