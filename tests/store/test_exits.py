"""Exits: looked at on arrival, and while an account rests whenever its data changes or time does it."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest

from caravan import engage
from caravan.campaigns import stretch
from tests.world import World

WAITING = """
journey: way
audience: everyone
schedule: {end: 90 days}
EXITS
start: rest
nodes:
  rest: {wait: 20 days, next: hear}
  hear: {listen: [{form_filled: {}}], timeout: {after: 20 days, next: on}, next: on}
  on: {do: [{account_interesting_moment: {type: web, text: went on}}], end: on}
  won: {do: [{account_interesting_moment: {type: web, text: won}}], next: after}
  after: {wait: 1 day, end: after}
"""

DEAL = "exits: [{label: deal, goal: true, when: {opportunity: {is_closed: false}}}]"
DEAL_ON = "exits: [{label: deal, when: {opportunity: {is_closed: false}}, next: won}]"
DEAL_DO = "exits: [{when: {opportunity: {is_closed: false}}, do: [{send_email: {template: hi}}]}]"
ACCOUNTS = "account_id,name\na,Acme\n"
OPPORTUNITY = "opportunity_id,account_id,name,is_closed\no,a,Deal,{}\n"


def journey(exits: str) -> str:
    unused = "won: {do: [{account_interesting_moment: {type: web, text: won}}], next: after}"
    if "next: won" in exits:
        return WAITING.replace("EXITS", exits)
    lines = WAITING.replace("EXITS", exits).splitlines()
    return "\n".join(one for one in lines if unused not in one and "after: {" not in one)


async def start(world: World, exits: str, **files: str) -> int:
    workspace = world.workspace(journey(exits), ("hi",))
    people = "person_id,email,account_id\np,p@a.example,a\n"
    await world.load(workspace, **{"accounts": ACCOUNTS, "people": people} | files)
    [traversal] = await world.enter(await world.publish(workspace, "way"))
    await world.follow()
    return traversal


async def change(world: World, exits: str, **files: str) -> None:
    await world.load(world.workspace(journey(exits)), **files)
    await world.follow()


async def wakeups(world: World) -> int:
    return int(await world.engage.fetchval("select count(*) from wakeups"))


async def test_exit_is_taken_on_arrival(world: World) -> None:
    traversal = await start(world, DEAL, opportunities=OPPORTUNITY.format("false"))
    state = await world.walk(traversal)
    assert state.ended is not None
    assert (state.ended.reason, state.ended.label, state.ended.node) == ("exit", "deal", "rest")
    step = await world.engage.fetchrow("select outcome, because from steps")
    assert step["outcome"]["edge"] == "exit:deal"
    assert step["because"]


async def test_change_that_meets_no_exit_wakes_nobody(world: World) -> None:
    traversal = await start(world, DEAL)
    await world.walk(traversal)
    await change(world, DEAL, opportunities=OPPORTUNITY.format("true"))
    await world.happen("form_filled", person="p")
    assert await wakeups(world) == 0
    assert (await world.walk(traversal)).position == "rest"


async def test_record_that_is_new_has_a_resting_account_leave(world: World) -> None:
    traversal = await start(world, DEAL)
    assert (await world.walk(traversal)).position == "rest"
    world.pass_time(days=1)
    await change(world, DEAL, opportunities=OPPORTUNITY.format("false"))
    assert await wakeups(world) == 1
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.reason == "exit"
    assert await world.engage.fetchval("select count(*) from exit_watches") == 0


async def test_exit_seen_met_is_taken_though_the_data_says_otherwise_since(world: World) -> None:
    traversal = await start(world, DEAL)
    await world.walk(traversal)
    await change(world, DEAL, opportunities=OPPORTUNITY.format("false"))
    await change(world, DEAL, opportunities=OPPORTUNITY.format("true"))
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.reason == "exit"


async def test_listening_account_leaves_too(world: World) -> None:
    traversal = await start(world, DEAL)
    await world.walk(traversal)
    world.pass_time(days=20)
    assert (await world.walk(traversal)).position == "hear"
    await change(world, DEAL, opportunities=OPPORTUNITY.format("false"))
    state = await world.walk(traversal)
    assert state.ended is not None
    assert (state.ended.reason, state.ended.node) == ("exit", "hear")
    # and its listener hears nothing any more
    await world.happen("form_filled", person="p")
    assert await wakeups(world) == 1


async def test_exit_that_leads_on_is_taken_once(world: World) -> None:
    traversal = await start(world, DEAL_ON)
    await world.walk(traversal)
    await change(world, DEAL_ON, opportunities=OPPORTUNITY.format("false"))
    state = await world.walk(traversal)
    assert state.position == "after"
    assert state.visits["exit:deal"] == 1
    await change(world, DEAL_ON, opportunities=OPPORTUNITY.format("false").replace("Deal", "D2"))
    world.pass_time(days=1)
    state = await world.walk(traversal)
    assert state.ended is not None
    assert (state.ended.reason, state.ended.label) == ("completed", "after")


async def test_exit_does_what_it_says_before_the_account_leaves(world: World) -> None:
    traversal = await start(world, DEAL_DO)
    await world.walk(traversal)
    await change(world, DEAL_DO, opportunities=OPPORTUNITY.format("false"))
    state = await world.walk(traversal)
    assert state.ended is not None
    assert (state.ended.reason, state.ended.label, state.ended.node) == ("exit", None, "exit:1")
    assert world.mailed() == [("hi", "p@a.example")]


@pytest.mark.parametrize(
    "when",
    [
        "person: {job_title: Chief}",
        "people: {when: {}, at_least: 2}",
        "people: {when: {role_in_account: buyer}}",
        "did: {event: page_visited, since: entry}",
        "account: {source_type: partner}",
    ],
)
async def test_whatever_changes_about_an_account_is_looked_at(world: World, when: str) -> None:
    exits = f"exits: [{{when: {{{when}}}}}]"
    traversal = await start(world, exits)
    await world.walk(traversal)
    world.pass_time(hours=1)
    await change(
        world,
        exits,
        accounts="account_id,name,source_type\na,Acme,partner\n",
        people="person_id,email,job_title,account_id,roles\np,p@a.example,Chief,a,buyer\n"
        "q,q@a.example,Clerk,a,user\n",
    )
    await world.happen("page_visited", person="p", url="https://us.example")
    assert await wakeups(world) == 1
    assert (await world.walk(traversal)).ended is not None


async def test_exit_that_time_alone_meets_is_taken_on_time(world: World) -> None:
    day = (world.now + timedelta(days=9)).date().isoformat()
    exits = "exits: [{label: near, when: {account: {contract_end: {in_future: 5 days}}}}]"
    traversal = await start(world, exits, accounts=f"account_id,name,contract_end\na,Acme,{day}\n")
    state = await world.walk(traversal)
    while state.ended is None:
        assert state.pending is not None
        # what its workflow does: sleep until there is something to look at
        assert state.pending.wakes_at > world.now
        world.now = state.pending.wakes_at
        state = await world.walk(traversal)
    assert state.ended.reason == "exit"
    assert (world.now + timedelta(days=5)).date().isoformat() == day
    assert (world.now - timedelta(seconds=1) + timedelta(days=5)).date().isoformat() < day


async def test_date_that_comes_nearer_wakes_who_would_look_too_late(world: World) -> None:
    exits = "exits: [{when: {account: {contract_end: {in_future: 5 days}}}}]"
    late, soon = ((world.now + timedelta(days=n)).date().isoformat() for n in (18, 8))
    table = "account_id,name,contract_end\na,Acme,{}\n"
    traversal = await start(world, exits, accounts=table.format(late))
    before = (await world.walk(traversal)).pending
    await change(world, exits, accounts=table.format(soon))
    assert await wakeups(world) == 1
    after = (await world.walk(traversal)).pending
    assert before is not None
    assert after is not None
    assert after.until == before.until
    assert after.asked_at == before.asked_at
    assert after.wakes_at < before.wakes_at


async def test_forced_overlaps_of_rest_and_change_lose_none(world: World) -> None:
    count = 150
    exits = "exits: [{when: {did: {event: page_visited}}}]"
    workspace = world.workspace(journey(exits))
    await world.load(
        workspace,
        accounts="account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(count)),
        people="person_id,email,account_id\n"
        + "".join(f"p{n},p{n}@a.example,a{n}\n" for n in range(count)),
    )
    await world.enter(await world.publish(workspace, "way"))
    owners = await world.engage.fetch(
        "select t.id, p.external_id as person from traversals t"
        " join relations r on r.account_id = t.account_id join people p on p.id = r.person_id"
    )

    async def overlap(traversal: int, person: str) -> None:
        await asyncio.gather(
            stretch.run(world.engage, world.plans, traversal, 1, world.now),
            world.happen("page_visited", person=person),
        )

    for begin in range(0, count, 5):
        await asyncio.gather(*(overlap(*row) for row in owners[begin : begin + 5]))
    for traversal, _ in owners:
        ran = await stretch.run(world.engage, world.plans, traversal, 1, world.now)
        assert ran.ended is not None
    unseen = "select count(*) from exit_watches where edge is null"
    assert await world.engage.fetchval(unseen) == 0


async def test_listen_that_an_exit_ended_hears_nobody(world: World) -> None:
    traversal = await start(world, DEAL_ON)
    await world.walk(traversal)
    world.pass_time(days=20)
    assert (await world.walk(traversal)).position == "hear"
    await change(world, DEAL_ON, opportunities=OPPORTUNITY.format("false"))
    assert (await world.walk(traversal)).position == "after"
    await world.happen("form_filled", person="p")
    assert await wakeups(world) == 1


LISTED = """
account_list: left
type: static
members: []
---
people_list: folk
type: static
members: []
---
audience: rich
when: {account: {annual_revenue: {at_least: 100}}}
---
"""
DOING = """
---
journey: doing
audience: everyone
schedule: {end: 90 days}
start: act
nodes:
  act: {do: [ACTION], end: done}
"""


@pytest.mark.parametrize(
    ("when", "action"),
    [
        ("account_list: left", "add_to_account_list: {list: left}"),
        ("people: {when: {people_list: folk}}", "add_to_people_list: {list: folk}"),
    ],
)
async def test_list_that_another_journey_adds_to_has_a_resting_account_leave(
    world: World, when: str, action: str
) -> None:
    exits = f"exits: [{{label: listed, when: {{{when}}}}}]"
    workspace = world.workspace(LISTED + journey(exits) + DOING.replace("ACTION", f"{{{action}}}"))
    await world.load(workspace, accounts=ACCOUNTS, people="person_id,email,account_id\np,p@a,a\n")
    [resting] = await world.enter(await world.publish(workspace, "way"))
    [acting] = await world.enter(await world.publish(workspace, "doing"))
    assert (await world.walk(resting)).position == "rest"
    await world.walk(acting)
    assert await wakeups(world) == 1
    state = await world.walk(resting)
    assert state.ended is not None
    assert state.ended.label == "listed"


async def test_document_that_names_a_resting_account_in_a_list_has_it_leave(world: World) -> None:
    exits = "exits: [{label: listed, when: {account_list: left}}]"
    workspace = world.workspace(LISTED + journey(exits))
    await world.load(workspace, accounts=ACCOUNTS)
    [traversal] = await world.enter(await world.publish(workspace, "way"))
    await world.walk(traversal)
    named = LISTED.replace("members: []", "members: [a]", 1)
    await world.store(world.workspace(named + journey(exits)))
    assert await wakeups(world) == 1


async def test_account_that_comes_into_an_audience_leaves_by_its_exit(world: World) -> None:
    exits = "exits: [{label: rich, when: {audience: rich}}]"
    workspace = world.workspace(LISTED + journey(exits))
    await world.load(workspace, accounts="account_id,name,annual_revenue\na,Acme,5\n")
    [traversal] = await world.enter(await world.publish(workspace, "way"))
    assert (await world.walk(traversal)).position == "rest"
    await world.load(workspace, accounts="account_id,name,annual_revenue\na,Acme,500\n")
    await world.follow()
    assert await wakeups(world) == 1
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "rich"


SHARED = """
people_list: dealing
type: dynamic
when: {any: [{opportunity: {is_closed: false}}, {account_list: read-about}]}
---
account_list: read-about
type: dynamic
when: {did: {event: page_visited}}
---
"""
KNOWS = "exits: [{label: deal, when: {people: {when: {people_list: dealing}}}}]"


@pytest.mark.parametrize("cause", ["opportunity", "event"])
async def test_exit_sees_what_happens_to_another_account_of_the_same_people(
    world: World, cause: str
) -> None:
    workspace = world.workspace(SHARED + journey(KNOWS))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\nb,Beta\nc,Core\n",
        people="person_id,email\np,p@a.example\nq,q@b.example\n",
        relations="account_id,person_id\na,p\nb,p\nb,q\nc,q\n",
    )
    traversals = await world.enter(await world.publish(workspace, "way"))
    await world.follow()
    for one in traversals:
        await world.walk(one)
    if cause == "opportunity":
        await world.load(workspace, opportunities=OPPORTUNITY.format("false"))
        await world.follow()
    else:
        await world.happen("page_visited", account="a")
    # the one it happened to, and the other one of its person: not the one of a colleague there
    assert await wakeups(world) == 2
    assert [bool((await world.walk(one)).ended) for one in traversals] == [True, True, False]


async def test_exits_published_before_it_was_kept_how_far_they_look_are_taken_for_far(
    world: World,
) -> None:
    far = world.workspace(SHARED + journey(KNOWS))
    await world.publish(far, "way")
    near = world.workspace(SHARED + journey(DEAL).replace("journey: way", "journey: near"))
    await world.publish(near, "near")
    kept = "select j.slug, p.exits_reach from plans p join journeys j on j.plan_hash = p.hash order by 1"
    assert [tuple(row) for row in await world.engage.fetch(kept)] == [("near", 0), ("way", 3)]
    await world.engage.execute("update plans set exits_reach = 0")
    migration = Path(engage.__file__).parent / "sql/migrations/0026_exits_reach.sql"
    [update] = re.findall(r"update plans .*?;", migration.read_text(encoding="utf-8"), re.DOTALL)
    await world.engage.execute(update)
    assert [tuple(row) for row in await world.engage.fetch(kept)] == [("near", 0), ("way", 4)]
