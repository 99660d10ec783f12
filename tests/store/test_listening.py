"""Listeners and events: none is lost, the first commit wins, no event moves a traversal twice."""

import asyncio

import pytest

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
            " order by t.id"
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


ANY = """
journey: any
audience: everyone
schedule: {end: 30 days}
start: hear
nodes:
  hear:
    listen:
      - event: {type: contract_signed, where: {worth: {at_least: 10}}, next: signed}
      - event: {type: visit_booked, who: {person: {country: SE}}, people: 2, next: booked}
      - account_changed: {field: annual_revenue, from: {less_than: 100}, to: {at_least: 100}, next: grown}
      - opportunity_changed: {field: stage, from: open, to: [won, lost], next: decided}
      - person_changed: {field: job_title, to: {starts_with: Chief}, next: promoted}
    timeout: {until: 2100-01-01T00:00:00Z, end: never}
  signed: {do: [], end: signed}
  booked: {do: [], end: booked}
  grown: {do: [], end: grown}
  decided: {do: [], end: decided}
  promoted: {do: [], end: promoted}
"""


async def start_any(world: World) -> int:
    workspace = world.workspace(ANY)
    await world.load(
        workspace,
        accounts="account_id,name,annual_revenue\na,Acme,50\n",
        people=PEOPLE,
        opportunities="opportunity_id,account_id,name,stage\no,a,Deal,open\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "any"))
    await world.walk(traversal)
    return traversal


async def label(world: World, traversal: int) -> str | None:
    state = await world.walk(traversal)
    return state.ended.label if state.ended else None


async def test_event_of_any_type_may_be_the_accounts_or_a_persons(world: World) -> None:
    traversal = await start_any(world)
    await world.happen("contract_signed", account="a", worth=9)
    assert await label(world, traversal) is None
    await world.happen("contract_signed", account="a", worth=10)
    assert await label(world, traversal) == "signed"


async def test_event_of_any_type_narrowed_to_people_is_theirs(world: World) -> None:
    traversal = await start_any(world)
    await world.happen("visit_booked", account="a")
    for person in ("p", "q", "p"):
        await world.happen("visit_booked", person=person)
    assert await label(world, traversal) is None
    await world.happen("visit_booked", person="r")
    assert await label(world, traversal) == "booked"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"accounts": "account_id,name,annual_revenue\na,Acme,99\n"}, None),
        ({"accounts": "account_id,name,annual_revenue\na,Acme,100\n"}, "grown"),
        ({"opportunities": "opportunity_id,account_id,name,stage\no,a,Deal,stuck\n"}, None),
        ({"opportunities": "opportunity_id,account_id,name,stage\no,a,Deal,Won\n"}, "decided"),
        ({"people": "person_id,email,job_title\nq,q@a.example,Chief of X\n"}, "promoted"),
        ({"people": "person_id,email,job_title\nq,q@a.example,Clerk\n"}, None),
    ],
)
async def test_change_is_heard_by_what_it_was_and_what_it_is(
    world: World, files: dict[str, str], expected: str | None
) -> None:
    traversal = await start_any(world)
    await world.load(world.workspace(ANY), **files)
    await world.follow()
    assert await label(world, traversal) == expected


HEARD = """
journey: heard
audience: everyone
schedule: {end: 30 days}
start: hear
nodes:
  hear: {listen: [{form_filled: {}}, {page_visited: {}}], next: thank}
  thank: {do: [{update_person: {field: city, value: heard, who: {heard: [hear, other]}}}], next: other}
  other: {listen: [{email_opened: {}}], timeout: {after: 1 day, next: sift}, next: sift}
  sift:
    split: people
    paths:
      - {label: opened, when: {heard: other}}
      - {label: wrote, when: {heard: hear}}
    otherwise: {do: []}
    next: again
  again: {split: accounts, paths: [{when: {did: {event: form_filled, since: other}}, next: hear}]}
"""


async def test_heard_is_the_person_whose_event_ended_the_listen(world: World) -> None:
    workspace = world.workspace(HEARD)
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=PEOPLE)
    [traversal] = await world.enter(await world.publish(workspace, "heard"))
    await world.walk(traversal)
    await world.happen("form_filled", person="q")
    assert (await world.walk(traversal)).position == "other"
    cities = "select external_id from people where attributes ->> 'city' = 'heard'"
    assert await world.engage.fetchval(cities) == "q"
    # while it listens there somebody else writes: `since: other` sees it and it goes round again
    await world.happen("form_filled", person="r")
    world.pass_time(days=2)
    assert (await world.walk(traversal)).position == "hear"
    await world.happen("page_visited", person="p")
    assert (await world.walk(traversal)).position == "other"
    await world.happen("email_opened", person="r")
    assert (await world.walk(traversal)).ended is not None
    rows = await world.engage.fetch(
        "select x.visit, p.external_id as person, x.path from participants x"
        " join people p on p.id = x.person_id where node = 'sift' order by 1, 2"
    )
    assert [tuple(row) for row in rows] == [
        (1, "p", "otherwise"), (1, "q", "wrote"), (1, "r", "otherwise"),
        (2, "p", "wrote"), (2, "q", "otherwise"), (2, "r", "opened"),
    ]  # fmt: skip


BOTS = """
journey: bots
audience: everyone
schedule: {end: 30 days}
start: hear
nodes:
  hear:
    listen:
      - email_clicked: {template: x, next: somebody}
      - email_clicked: {bots: true, link: {contains: any}, next: anything}
    timeout: {after: 1 day, end: silence}
  somebody: {do: [], end: somebody}
  anything:
    split: accounts
    paths:
      - {label: clicked, when: {did: {event: email_clicked}}, next: clicked}
      - {label: by bots, when: {did: {event: email_clicked, where: {bots: true}}}, next: bots}
    otherwise: clicked
  clicked: {do: [], end: clicked}
  bots: {do: [], end: by bots}
"""


@pytest.mark.parametrize(
    ("clicks", "label"),
    [
        ([{"bot": True, "link": "x"}], None),
        ([{"bot": True, "link": "x"}, {"bot": False, "link": "y"}], "somebody"),
        ([{"link": "x"}], "somebody"),
        ([{"bot": True, "link": "any"}], "by bots"),
    ],
)
async def test_what_bots_did_moves_an_account_that_asks_for_it_alone(
    world: World, clicks: list[dict[str, object]], label: str | None
) -> None:
    workspace = world.workspace(BOTS, ("x",))
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=PEOPLE)
    [traversal] = await world.enter(await world.publish(workspace, "bots"))
    await world.walk(traversal)
    for click in clicks:
        await world.happen("email_clicked", person="p", template="x", **click)
        world.pass_time(seconds=1)
    state = await world.walk(traversal)
    assert (state.ended.label if state.ended else None) == label
