"""Lists: what documents name, what journeys change, what conditions and time decide."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan import engage
from caravan.campaigns import audience_flow, stretch
from caravan.engage import dynamic_lists, lists, sql
from caravan.journeys.workspace import Workspace
from tests.world import World

DATA = {
    "accounts": "account_id,name,industry,contract_end\na,Acme,Energy,\nb,Beta,Retail,\nc,Core,,\n",
    "people": "person_id,email,job_title,account_id\n"
    "p1,1@a.example,Chief,a\np2,2@a.example,Clerk,a\np3,3@b.example,Chief,b\n",
}

ENTER = """
journey: bring
audience: everyone
schedule: {end: 90 days}
start: rest
nodes:
  rest: {wait: 80 days}
"""

LISTS = """
account_list: chosen
type: static
members: [a, b]
---
people_list: chiefs
type: static
members: [p1]
---
"""


async def members(world: World, of: str, slug: str) -> list[str]:
    rows = await world.engage.fetch(
        f"select t.external_id from list_members m join {of} t on t.id = m.subject_id"
        " where m.of = $1 and m.list = $2 order by 1",
        of,
        slug,
    )
    return [row["external_id"] for row in rows]


async def bring_in(world: World, documents: str, **files: str) -> Workspace:
    """A world whose accounts are in the engage store; journeys of the documents are published."""
    workspace = world.workspace(
        documents + ENTER if "journey: bring" not in documents else documents
    )
    await world.load(workspace, **(files or DATA))
    await world.store(workspace)
    journey = await world.publish(workspace, "bring")
    await world.enter(journey)
    await world.follow()
    return workspace


async def effects(world: World, traversal: int) -> list[tuple[str, int, str | None]]:
    rows = await sql.fetch(world.engage, "effects_of_traversal", traversal_id=traversal)
    return [(row["action"], row["position"], row["reason"]) for row in rows]


async def test_static_list_has_those_it_names_as_they_come_in(world: World) -> None:
    workspace = world.workspace(LISTS + ENTER)
    await world.store(workspace)
    assert await members(world, "accounts", "chosen") == []
    await world.load(workspace, **DATA)
    await world.enter(await world.publish(workspace, "bring"))
    assert await members(world, "accounts", "chosen") == ["a", "b"]
    assert await members(world, "people", "chiefs") == ["p1"]


CHANGING = (
    LISTS
    + """
journey: bring
audience: everyone
schedule: {end: 90 days}
start: change
nodes:
  change:
    do:
      - add_to_account_list: {list: chosen}
      - remove_from_account_list: {list: chosen}
      - remove_from_account_list: {list: chosen}
      - add_to_account_list: {list: chosen}
      - remove_from_people_list: {list: chiefs, who: {people_list: chiefs}}
      - add_to_people_list: {list: chiefs, who: {person: {job_title: Clerk}}}
      - add_to_people_list: {list: chiefs, who: {person: {job_title: Clerk}}}
      - remove_from_people_list: {list: chiefs, who: {person: {job_title: Chief}}}
    next: rest
  rest: {wait: 80 days}
"""
)


async def test_journeys_change_static_lists_and_say_why_they_did_not(world: World) -> None:
    workspace = world.workspace(CHANGING)
    await world.load(workspace, **DATA)
    first, *_ = await world.enter(await world.publish(workspace, "bring"))
    await world.walk(first)
    assert await effects(world, first) == [
        ("add_to_account_list", 0, "already-member"),
        ("remove_from_account_list", 1, None),
        ("remove_from_account_list", 2, "not-member"),
        ("add_to_account_list", 3, None),
        ("remove_from_people_list", 4, None),
        ("add_to_people_list", 5, None),
        ("add_to_people_list", 6, "already-member"),
        ("remove_from_people_list", 7, "not-member"),
    ]
    assert await members(world, "accounts", "chosen") == ["a", "b"]
    assert await members(world, "people", "chiefs") == ["p2"]


async def test_applying_again_undoes_nothing_that_journeys_changed(world: World) -> None:
    workspace = world.workspace(CHANGING)
    await world.load(workspace, **DATA)
    first, *_ = await world.enter(await world.publish(workspace, "bring"))
    await world.walk(first)
    await world.store(workspace)
    assert await members(world, "people", "chiefs") == ["p2"]
    # what the document itself changes is changed, and nothing else
    edited = CHANGING.replace("members: [p1]", "members: [p3]").replace("[a, b]", "[c, b]")
    await world.store(world.workspace(edited))
    assert await members(world, "people", "chiefs") == ["p2", "p3"]
    assert await members(world, "accounts", "chosen") == ["b", "c"]


async def test_journey_takes_its_accounts_from_a_static_list_now_and_later(world: World) -> None:
    journey = """
journey: chosen-few
audience: {list: chosen}
schedule: {end: 90 days}
start: rest
nodes:
  rest: {wait: 80 days}
"""
    workspace = world.workspace(LISTS.replace("[a, b]", "[a]") + journey)
    await world.load(workspace, **DATA)
    few = await world.publish(workspace, "chosen-few")
    assert len(await world.enter(few)) == 1
    row = await sql.fetchrow(world.engage, "journey_by_id", id=few)
    assert (row["segment_accounts"], row["segment_people"]) == (1, 2)

    # named by an edited document: comes in from the Platform and enters
    await world.store(world.workspace(LISTS.replace("[a, b]", "[a, b, late]") + journey))
    await world.follow()
    assert len(await world.admit(few)) == 2
    # named before the Platform knew it
    await world.load(workspace, accounts="account_id,name\nlate,Late\n")
    await world.follow()
    assert len(await world.admit(few)) == 3
    assert await members(world, "accounts", "chosen") == ["a", "b", "late"]


async def test_account_that_a_journey_adds_to_a_list_enters_the_journey_of_the_list(
    world: World,
) -> None:
    documents = """
account_list: hot
type: static
---
journey: of-hot
audience: {list: hot}
schedule: {end: 90 days}
start: rest
nodes:
  rest: {wait: 80 days}
---
journey: bring
audience: everyone
schedule: {end: 90 days}
start: add
nodes:
  add: {do: [{add_to_account_list: {list: hot}}]}
"""
    workspace = world.workspace(documents)
    await world.load(workspace, **DATA)
    hot = await world.publish(workspace, "of-hot")
    assert await world.enter(hot) == []
    first, *_ = await world.enter(await world.publish(workspace, "bring"))
    await world.walk(first)
    assert len(await world.admit(hot)) == 1


DYNAMIC = """
account_list: energy
type: dynamic
when: {account: {industry: Energy}}
---
account_list: not-energy
type: dynamic
when: {not: {account_list: energy}}
---
people_list: clickers
type: dynamic
when: {did: {event: page_visited}}
---
people_list: of-energy
type: dynamic
when: {account_list: energy}
---
"""


async def test_dynamic_list_follows_data(world: World) -> None:
    workspace = await bring_in(world, DYNAMIC)
    assert await members(world, "accounts", "energy") == ["a"]
    assert await members(world, "accounts", "not-energy") == ["b", "c"]
    assert await members(world, "people", "of-energy") == ["p1", "p2"]
    assert await members(world, "people", "clickers") == []

    world.pass_time(minutes=1)
    await world.load(workspace, accounts="account_id,name,industry\nb,Beta,Energy\n")
    await world.happen("page_visited", person="p3", url="/")
    await world.follow()
    assert await members(world, "accounts", "energy") == ["a", "b"]
    assert await members(world, "accounts", "not-energy") == ["c"]
    assert await members(world, "people", "of-energy") == ["p1", "p2", "p3"]
    assert await members(world, "people", "clickers") == ["p3"]


OF_OTHER_ACCOUNTS = """
people_list: of-energy
type: dynamic
when: {account: {industry: Energy}}
---
account_list: knows-energy
type: dynamic
when: {people: {when: {people_list: of-energy}}}
---
account_list: read-about
type: dynamic
when: {did: {event: page_visited}}
---
people_list: at-readers
type: dynamic
when: {account_list: read-about}
---
account_list: knows-a-reader
type: dynamic
when: {people: {when: {people_list: at-readers}}}
---
people_list: around
type: dynamic
when: {account_list: knows-a-reader}
---
"""


async def all_members(world: World) -> dict[str, list[str]]:
    names = ("knows-energy", "read-about", "knows-a-reader")
    found = {name: await members(world, "accounts", name) for name in names}
    people = ("of-energy", "at-readers", "around")
    return found | {name: await members(world, "people", name) for name in people}


async def test_dynamic_list_follows_other_accounts_of_the_same_people(world: World) -> None:
    # a chain: a – p – b – q – c – r – d
    workspace = await bring_in(
        world,
        OF_OTHER_ACCOUNTS,
        accounts="account_id,name,industry\na,A,Retail\nb,B,Retail\nc,C,Retail\nd,D,Retail\n",
        people="person_id,email\np,p@a.example\nq,q@b.example\nr,r@c.example\n",
        relations="account_id,person_id\na,p\nb,p\nb,q\nc,q\nc,r\nd,r\n",
    )
    none: dict[str, list[str]] = {name: [] for name in await all_members(world)}
    assert await all_members(world) == none

    world.pass_time(minutes=1)
    await world.load(workspace, accounts="account_id,name,industry\na,A,Energy\n")
    await world.follow()
    energy = {"of-energy": ["p"], "knows-energy": ["a", "b"]}
    assert await all_members(world) == none | energy

    world.pass_time(minutes=1)
    await world.load(workspace, accounts="account_id,name,industry\na,A,Retail\n")
    await world.follow()
    assert await all_members(world) == none

    await world.happen("page_visited", account="a")
    await world.follow()
    read = {"read-about": ["a"], "at-readers": ["p"]}
    around = {"knows-a-reader": ["a", "b"], "around": ["p", "q"]}
    assert await all_members(world) == none | read | around


async def test_lists_that_missed_other_accounts_are_evaluated_anew_by_the_migration(
    world: World,
) -> None:
    await bring_in(world, OF_OTHER_ACCOUNTS)
    migration = Path(engage.__file__).parent / "sql/migrations/0026_exits_reach.sql"
    [update] = re.findall(r"update lists .*?;", migration.read_text(encoding="utf-8"), re.DOTALL)
    await world.engage.execute(update)
    due = await world.engage.fetch("select slug from lists where evaluated_at is null order by 1")
    assert [row["slug"] for row in due] == [
        "around",
        "at-readers",
        "knows-a-reader",
        "knows-energy",
    ]
    await world.follow()
    assert await world.engage.fetch("select from lists where evaluated_at is null") == []


async def test_dynamic_list_counts_what_somebody_else_did_in_the_name_of_an_account(
    world: World,
) -> None:
    await bring_in(world, OF_OTHER_ACCOUNTS)
    await world.happen("page_visited", account="a", person="p3")
    await world.follow()
    assert await members(world, "accounts", "read-about") == ["a", "b"]


MADE_OF_OTHERS = """
audience: energy-firms
when: {account: {industry: Energy}}
---
audience: chiefs
of: people
when: {person: {job_title: Chief}}
---
account_list: chosen
type: static
members: [b]
---
account_list: either
type: dynamic
when: {any: [{audience: energy-firms}, {account_list: chosen}]}
---
people_list: their-chiefs
type: dynamic
when: {audience: chiefs, account_list: chosen}
---
"""


async def test_dynamic_list_follows_audiences_and_static_lists(world: World) -> None:
    workspace = await bring_in(world, MADE_OF_OTHERS)
    assert await members(world, "accounts", "either") == ["a", "b"]
    assert await members(world, "people", "their-chiefs") == ["p3"]

    world.pass_time(minutes=1)
    await world.load(
        workspace,
        accounts="account_id,name,industry\na,Acme,\nc,Core,Energy\n",
        people="person_id,email,job_title,account_id\np3,3@b.example,Clerk,b\np4,4@b.example,Chief,b\n",
    )
    await world.follow()
    await world.follow()
    assert await members(world, "accounts", "either") == ["b", "c"]
    assert await members(world, "people", "their-chiefs") == ["p4"]

    async with world.engage.acquire() as conn, conn.transaction():
        ids = {row["external_id"]: row["id"] for row in await conn.fetch("select * from accounts")}
        await lists.remove(conn, "accounts", "chosen", [ids["b"]])
        await lists.add(conn, "accounts", "chosen", [ids["a"]], world.now)
    await world.follow()
    assert await members(world, "accounts", "either") == ["a", "c"]
    assert await members(world, "people", "their-chiefs") == ["p1"]


async def test_copy_of_an_audience_that_nobody_names_any_more_is_forgotten(world: World) -> None:
    workspace = await bring_in(world, MADE_OF_OTHERS)
    copies = "select count(*) from audience_copies"
    assert await world.engage.fetchval(copies) == 2
    edited = MADE_OF_OTHERS.replace(
        "{any: [{audience: energy-firms}, {account_list: chosen}]}", "{}"
    )
    await world.store(world.workspace(edited + ENTER))
    await world.load(workspace, accounts="account_id,name,city\na,Acme,Here\n")
    await world.follow()
    assert await world.engage.fetchval(copies) == 1


async def test_dynamic_list_is_edited_by_applying_it(world: World) -> None:
    await bring_in(world, DYNAMIC)
    edited = DYNAMIC.replace("industry: Energy", "industry: Retail")
    await world.store(world.workspace(edited + ENTER))
    await world.follow()
    assert await members(world, "accounts", "energy") == ["b"]
    assert await members(world, "accounts", "not-energy") == ["a", "c"]
    static = edited.replace(
        "type: dynamic\nwhen: {account: {industry: Retail}}", "type: static\nmembers: [c]"
    )
    await world.store(world.workspace(static + ENTER))
    await world.follow()
    assert await members(world, "accounts", "energy") == ["c"]
    assert await members(world, "accounts", "not-energy") == ["a", "b"]


async def test_writer_that_began_before_a_list_was_stored_is_not_missed(world: World) -> None:
    await bring_in(world, "")
    async with world.engage.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await conn.execute(
            "update accounts set attributes = attributes || '{\"industry\": \"Energy\"}' where external_id = 'b'"
        )
        await world.store(world.workspace(DYNAMIC + ENTER))
        await world.follow()
        await transaction.commit()
    await world.follow()
    assert await members(world, "accounts", "energy") == ["a", "b"]


async def test_journey_of_a_dynamic_list_takes_who_joins(world: World) -> None:
    journey = """
journey: of-energy
audience: {list: energy}
schedule: {end: 90 days}
start: rest
nodes:
  rest: {wait: 80 days}
---
"""
    workspace = await bring_in(world, DYNAMIC + journey)
    energy = await world.publish(workspace, "of-energy")
    assert len(await world.enter(energy)) == 1
    world.pass_time(minutes=1)
    await world.load(workspace, accounts="account_id,name,industry\nb,Beta,Energy\n")
    await world.follow()
    assert len(await world.admit(energy)) == 2


async def test_condition_on_a_dynamic_list_sees_what_the_journey_wrote_a_moment_ago(
    world: World,
) -> None:
    documents = (
        DYNAMIC
        + """
journey: bring
audience: everyone
schedule: {end: 90 days}
start: write
nodes:
  write: {do: [{update_account: {field: industry, value: Energy}}], next: fork}
  fork:
    split: accounts
    paths:
      - {label: not, when: {account_list: not-energy}, end: wrong}
      - {label: energy, when: {account_list: energy, people: {when: {people_list: of-energy}}}, end: right}
    otherwise: rest
  rest: {wait: 80 days}
"""
    )
    workspace = world.workspace(documents)
    await world.load(workspace, **DATA)
    traversals = await world.enter(await world.publish(workspace, "bring"))
    ended = [(await world.walk(one)).ended for one in traversals]
    # the account without people has nobody in the list of people
    assert sorted(str(one and one.label) for one in ended) == ["None", "right", "right"]


BY_TIME = """
account_list: soon
type: dynamic
when: {account: {contract_end: {in_future: 30 days}}}
---
account_list: quiet
type: dynamic
when: {did_not: {event: page_visited, within: 10 days}}
---
"""


async def full_evaluation(world: World) -> dict[str, list[str]]:
    """Who is in each dynamic list, by evaluating everything anew."""
    before = {name: await members(world, "accounts", name) for name in ("soon", "quiet")}
    async with world.engage.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await conn.execute("update lists set evaluated_at = null, xid = '1'")
        for row in await sql.fetch(conn, "dynamic_lists"):
            await dynamic_lists._evaluate(conn, row, world.now, None)
        rows = await conn.fetch(
            "select m.list, a.external_id from list_members m join accounts a on a.id = m.subject_id order by 2"
        )
        await transaction.rollback()
    after: dict[str, list[str]] = {name: [] for name in before}
    for row in rows:
        after[row["list"]].append(row["external_id"])
    assert before == after, world.now
    return after


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    zone=st.sampled_from(["Europe/Stockholm", "Pacific/Auckland", "America/Los_Angeles"]),
    steps=st.lists(st.timedeltas(timedelta(minutes=7), timedelta(days=9)), min_size=3, max_size=6),
    offsets=st.lists(st.integers(-2, 45), min_size=3, max_size=3),
    visits=st.lists(st.integers(0, 5), max_size=3),
)
async def test_list_that_changes_by_time_alone_equals_its_full_evaluation_at_any_instant(
    world: World, zone: str, steps: list[timedelta], offsets: list[int], visits: list[int]
) -> None:
    day = world.now.date()
    rows = [f"{one},{one},{day + timedelta(days=n)}" for one, n in zip("abc", offsets, strict=True)]
    workspace = await bring_in(
        world,
        BY_TIME + ENTER.replace("schedule", f"zone: {zone}\nschedule"),
        accounts="account_id,name,contract_end\n" + "\n".join(rows) + "\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )
    assert workspace.lists
    await full_evaluation(world)
    for number, step in enumerate(steps):
        world.now += step
        if number in visits:
            await world.happen("page_visited", person="p")
        await world.follow()
        await full_evaluation(world)


async def test_removals_that_cross_do_not_wait_for_each_other_for_ever(world: World) -> None:
    documents = "---".join(
        f"""
journey: {one}
audience: everyone
schedule: {{end: 90 days}}
start: hello
nodes:
  hello: {{do: [{{account_interesting_moment: {{type: web, text: hello}}}}], next: push}}
  push: {{do: [{{remove_from_journey: {{journey: {other}}}}}], next: rest}}
  rest: {{wait: 80 days}}
"""
        for one, other in (("one", "two"), ("two", "one"))
    )
    workspace = world.workspace(documents)
    await world.load(workspace, **DATA)
    traversals = [
        traversal
        for slug in ("one", "two")
        for traversal in await world.enter(await world.publish(workspace, slug))
    ]

    async def whole_way(traversal: int) -> None:
        for _ in range(6):
            step_no = (await world.state(traversal)).step_no
            await asyncio.wait_for(
                stretch.run(world.engage, world.plans, traversal, step_no, world.now), 30
            )

    await asyncio.gather(*(whole_way(one) for one in traversals))
    rows = await world.engage.fetch(
        "select slug, reason, state from traversals where ended_at is not null"
    )
    # of two that remove each other one was first
    assert len(rows) == 3
    assert {row["reason"] for row in rows} == {"removed"}


@pytest.mark.parametrize("times", [1, 2])
async def test_storing_is_idempotent(world: World, times: int) -> None:
    workspace = world.workspace(LISTS + DYNAMIC + ENTER)
    for _ in range(times):
        await world.store(workspace)
    rows = await sql.fetch(world.engage, "lists")
    assert [(row["of"], row["slug"], row["dynamic"]) for row in rows] == [
        ("accounts", "chosen", False),
        ("accounts", "energy", True),
        ("accounts", "not-energy", True),
        ("people", "chiefs", False),
        ("people", "clickers", True),
        ("people", "of-energy", True),
    ]


BY_LIST = """
account_list: chosen
type: static
members: [a]
---
journey: way
audience: {list: chosen}
schedule: {end: 90 days}
reentry: {after: 1 day, from: end, requires: requalified}
start: rest
nodes:
  rest: {wait: 2 days}
"""


async def test_account_that_has_left_the_list_by_its_turn_does_not_enter(world: World) -> None:
    workspace = world.workspace(BY_LIST)
    await world.load(workspace, **DATA)
    journey_id = await world.publish(workspace, "way")
    await audience_flow.build_segment(world.engage, world.platform, journey_id, world.now)
    while await audience_flow.bring_in_page(
        world.engage, world.platform, world.plans, journey_id, world.now
    ):
        pass
    await world.store(world.workspace(BY_LIST.replace("[a]", "[]")))
    assert await world.admit(journey_id) == []


async def test_account_that_joins_the_list_again_has_qualified_anew(world: World) -> None:
    workspace = world.workspace(BY_LIST)
    await world.load(workspace, **DATA)
    journey_id = await world.publish(workspace, "way")
    [first] = await world.enter(journey_id)
    await world.walk(first)
    world.pass_time(days=2)
    await world.walk(first)
    world.pass_time(days=2)
    assert await world.admit(journey_id) == [first]
    await world.store(world.workspace(BY_LIST.replace("[a]", "[]")))
    await world.store(world.workspace(BY_LIST))
    assert len(await world.admit(journey_id)) == 2
