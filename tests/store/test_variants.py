"""Variants in the stores: shares over all versions, and the same path at every re-entry."""

import asyncio
from collections import Counter

from caravan.campaigns import stretch
from tests.world import World

ACCOUNTS = """
journey: ab
audience: everyone
schedule: {end: 30 days}
start: fork
nodes:
  fork:
    variants: accounts
    method: METHOD
    paths:
      - {label: A, share: 50, next: rest}
      - {label: B, share: 30, end: b}
      - {label: none, share: 20}
  rest: {wait: 1 day, end: a}
"""

PEOPLE = """
journey: ab
audience: everyone
schedule: {end: 30 days}
start: offer
nodes:
  offer:
    variants: people
    method: METHOD
    paths:
      - {label: A, share: 50, do: [{update_person: {field: city, value: A}}, {send_email: {template: hi}}]}
      - {label: B, share: 25, do: [{update_person: {field: city, value: B}}]}
      - {label: none, share: 25}
    next: after
  after: {do: [{person_interesting_moment: {type: web, text: regrouped}}], end: over}
"""


def accounts(count: int) -> str:
    return "account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(count))


async def edges(world: World) -> Counter[str]:
    rows = await world.engage.fetch(
        "select outcome ->> 'edge' as edge from steps where kind = 'choose'"
    )
    return Counter(row["edge"] for row in rows)


async def test_quota_of_accounts_holds_whoever_comes_at_once(world: World) -> None:
    workspace = world.workspace(ACCOUNTS.replace("METHOD", "quota"))
    await world.load(workspace, accounts=accounts(40))
    traversals = await world.enter(await world.publish(workspace, "ab"))
    await asyncio.gather(
        *(stretch.run(world.engage, world.plans, one, 1, world.now) for one in traversals)
    )
    assert await edges(world) == {"1": 20, "2": 12, "3": 8}
    for one in traversals:
        await world.walk(one)
    ends = await world.engage.fetch(
        "select reason, label from traversals where ended_at is not null"
    )
    assert Counter((row["reason"], row["label"]) for row in ends) == {
        ("completed", "b"): 12,
        ("completed", None): 8,
    }


async def test_quota_is_counted_over_all_versions(world: World) -> None:
    text = ACCOUNTS.replace("METHOD", "quota")
    workspace = world.workspace(text)
    await world.load(workspace, accounts=accounts(1))
    for one in await world.enter(await world.publish(workspace, "ab")):
        await world.walk(one)
    assert await edges(world) == {"1": 1}
    again = world.workspace(text.replace("end: b", "end: bb"))
    await world.load(again, accounts=accounts(2))
    for one in await world.enter(await world.publish(again, "ab")):
        await world.walk(one)
    assert await edges(world) == {"1": 1, "2": 1}


async def test_stretch_ends_behind_a_quota(world: World) -> None:
    workspace = world.workspace(ACCOUNTS.replace("METHOD", "quota"))
    await world.load(workspace, accounts=accounts(1))
    [traversal] = await world.enter(await world.publish(workspace, "ab"))
    ran = await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    assert [outcome.command.kind for outcome in ran.outcomes] == ["choose"]
    assert (await world.walk(traversal)).position == "rest"


async def test_hash_of_people_gives_each_the_actions_of_their_path(world: World) -> None:
    workspace = world.workspace(PEOPLE.replace("METHOD", "hash"), ("hi",))
    people = "".join(f"p{n},p{n}@a.example,a0\n" for n in range(60))
    await world.load(
        workspace, accounts=accounts(1), people=f"person_id,email,account_id\n{people}"
    )
    [traversal] = await world.enter(await world.publish(workspace, "ab"))
    state = await world.walk(traversal)
    assert state.ended is not None
    rows = await world.engage.fetch(
        "select x.path, p.attributes ->> 'city' as city from participants x"
        " join people p on p.id = x.person_id where x.node = 'offer'"
    )
    counts = Counter((row["path"], row["city"]) for row in rows)
    assert set(counts) == {("A", "A"), ("B", "B"), ("none", None)}
    assert len(world.mailed()) == counts["A", "A"]
    moments = "select count(*) from activities where type = 'interesting_moment'"
    assert await world.engage.fetchval(moments) == 60


async def test_counts_of_a_quota_are_let_go_before_mail_is_written(world: World) -> None:
    workspace = world.workspace(PEOPLE.replace("METHOD", "quota"), ("hi",))
    people = "".join(f"p{n},p{n}@a.example,a0\n" for n in range(4))
    await world.load(
        workspace, accounts=accounts(1), people=f"person_id,email,account_id\n{people}"
    )
    [traversal] = await world.enter(await world.publish(workspace, "ab"))
    drawn = await world.send(traversal, go_on=True)
    assert [outcome.command.kind for outcome in drawn.outcomes] == ["store"]
    assert await world.engage.fetchval("select sum(count) from variant_counts") == 4
    assert (await world.state(traversal)).step_no == 2
    assert await world.ledger() == []
    assert (await world.walk(traversal)).ended is not None
    assert len(world.mailed()) == 2


async def test_quota_of_people_is_drawn_before_their_actions(world: World) -> None:
    workspace = world.workspace(PEOPLE.replace("METHOD", "quota"), ("hi",))
    people = "".join(f"p{n},p{n}@a.example,a{n % 4}\n" for n in range(16))
    await world.load(
        workspace, accounts=accounts(4), people=f"person_id,email,account_id\n{people}"
    )
    traversals = await world.enter(await world.publish(workspace, "ab"))
    ran = await stretch.run(world.engage, world.plans, traversals[0], 1, world.now)
    assert [outcome.edge for outcome in ran.outcomes] == [None]
    for one in traversals:
        assert (await world.walk(one)).ended is not None
    rows = await world.engage.fetch("select path from participants where node = 'offer'")
    assert Counter(row["path"] for row in rows) == {"A": 8, "B": 4, "none": 4}
    assert await world.engage.fetchval("select sum(count) from variant_counts") == 16
