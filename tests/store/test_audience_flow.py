"""Who comes into the engage store, and when: nobody is passed by, whatever comes between."""

import asyncio
import json
from typing import Any

import pytest

from caravan.campaigns import audience_flow
from caravan.engage import sql
from caravan.journeys.workspace import Workspace
from caravan.platform import down_flow, sync
from caravan.platform.export import Bundle
from tests.world import World

JOURNEY = """
audience: renewing
of: accounts
when: {account: {contract_end: {in_past: 30 days}}}
---
journey: renew
audience: renewing
schedule: {end: 90 days}
start: rest
nodes:
  rest: {listen: [{form_filled: {}}], next: done}
  done: {do: [{update_account: {field: source_type, value: reacted}}], end: over}
"""


async def count(world: World, table: str) -> int:
    return int(await world.engage.fetchval(f"select count(*) from {table}"))


async def test_account_that_qualifies_by_time_alone_enters_even_if_the_flow_dies_in_between(
    world: World,
) -> None:
    workspace = world.workspace(JOURNEY)
    due = (world.now.date()).isoformat()
    world.pass_time(days=-3)
    await world.load(workspace, accounts=f"account_id,name,contract_end\na,Acme,{due}\n")
    journey_id = await world.publish(workspace, "renew")
    assert await world.enter(journey_id) == []
    await world.follow()

    world.pass_time(days=3)
    held = await world.engage.acquire()
    transaction = held.transaction()
    await transaction.start()
    # the journeys cannot be read: the page dies after the Platform has looked at the clock
    await held.execute("lock table journeys in access exclusive mode")
    try:
        dying = asyncio.create_task(
            audience_flow.follow_page(world.engage, world.platform, world.plans, world.now)
        )
        while await world.platform.fetchval("select count(*) from audience_flips"):
            await asyncio.sleep(0.01)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    finally:
        await transaction.rollback()
        await world.engage.release(held)

    await world.follow()
    assert len(await world.admit(journey_id)) == 1


async def test_event_that_happens_while_its_account_is_being_brought_in_is_not_passed_by(
    world: World,
) -> None:
    workspace = world.workspace(JOURNEY)
    today = world.now.date().isoformat()
    await world.load(
        workspace,
        accounts=f"account_id,name,contract_end\na,Acme,{today}\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )
    world.pass_time(minutes=1)
    journey_id = await world.publish(workspace, "renew")
    await audience_flow.build_segment(world.engage, world.platform, journey_id, world.now)
    event = f'{{"id": "e1", "at": "{world.now.isoformat()}", "type": "form_filled", "person_id": "p", "form": "x"}}\n'

    async def bring_in() -> None:
        while await audience_flow.bring_in_page(
            world.engage, world.platform, world.plans, journey_id, world.now
        ):
            pass

    async def happen() -> None:
        await world.load(workspace, events=event)
        await world.follow()

    for _ in range(5):
        await asyncio.gather(bring_in(), happen())
    assert await count(world, "activities where type = 'form_filled'") == 1


async def test_nameless_accounts_and_people_without_address_stay_in_the_platform(
    world: World,
) -> None:
    workspace = world.workspace(JOURNEY)
    today = world.now.date().isoformat()
    await world.load(
        workspace,
        accounts=f"account_id,name,contract_end\na,Acme,{today}\nb,,{today}\n",
        people="person_id,email,account_id\np,p@a.example,a\nq,,a\n",
    )
    world.pass_time(minutes=1)
    journey_id = await world.publish(workspace, "renew")
    assert len(await world.enter(journey_id)) == 1
    assert await count(world, "accounts") == 1
    assert await count(world, "people") == 1


async def test_a_journeys_campaigns_are_its_own(world: World) -> None:
    workspace = world.workspace(JOURNEY)
    await world.publish(workspace, "renew")
    names = [row["name"] for row in await world.engage.fetch("select name from campaigns")]
    assert names
    assert await sql.fetch(world.engage, "ordinary_campaigns") == []
    for name in names:
        assert await sql.fetchrow(world.engage, "requestable_campaign", name=name) is None


async def test_event_that_came_in_as_history_still_wakes_who_listens(world: World) -> None:
    """It was exported with its account by an earlier page; its own page then brings nothing new."""
    workspace = world.workspace(JOURNEY)
    today = world.now.date().isoformat()
    await world.load(
        workspace,
        accounts=f"account_id,name,contract_end\na,Acme,{today}\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )
    world.pass_time(minutes=1)
    [traversal] = await world.enter(await world.publish(workspace, "renew"))
    await world.walk(traversal)
    await world.follow()
    world.pass_time(seconds=1)
    await world.load(
        workspace,
        events=f'{{"id": "e1", "at": "{world.now.isoformat()}", "type": "form_filled", "person_id": "p", "form": "x"}}\n',
    )
    await world.engage.execute(
        "insert into activities (external_id, type, at, person_id, fields)"
        " select 'e1', 'form_filled', $1, id, '{}' from people",
        world.now,
    )
    await world.follow()
    assert await count(world, "listeners where closed_at is null") == 0
    assert await count(world, "wakeups") == 1


def forms(world: World, person: str, count: int, first: int = 0) -> str:
    """So many filled forms of a person, now."""
    return "".join(
        json.dumps(
            {
                "id": f"{person}-{number}",
                "at": world.now.isoformat(),
                "type": "form_filled",
                "person_id": person,
                "form": "x",
            }
        )
        + "\n"
        for number in range(first, first + count)
    )


async def standing(world: World, people: str, events: str = "") -> tuple[Workspace, int]:
    """An account that listens, its history in the engage store."""
    workspace = world.workspace(JOURNEY)
    accounts = f"account_id,name,contract_end\na,Acme,{world.now.date().isoformat()}\n"
    await world.load(workspace, accounts=accounts, people=people, events=events)
    world.pass_time(minutes=1)
    [traversal] = await world.enter(await world.publish(workspace, "renew"))
    await world.walk(traversal)
    await world.follow()
    world.pass_time(minutes=1)
    return workspace, traversal


async def brought(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Bundle]:
    """What the next pages bring down."""
    bundles: list[Bundle] = []
    real = down_flow.export

    async def watched(*args: Any, **kwargs: Any) -> Bundle:
        bundles.append(await real(*args, **kwargs))
        return bundles[-1]

    with monkeypatch.context() as patch:
        patch.setattr(down_flow, "export", watched)
        await world.follow()
    return bundles


async def test_history_comes_down_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = "person_id,email,account_id\np,p@a.example,a\n"
    workspace, _ = await standing(world, people, forms(world, "p", 50))
    assert await count(world, "activities") == 50
    await world.load(workspace, events=forms(world, "p", 2, first=50))
    bundles = await brought(world, monkeypatch)
    assert [len(bundle.activities) for bundle in bundles] == [2]
    assert await count(world, "activities where type = 'form_filled'") == 52


async def test_engage_stores_own_words_are_not_brought_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, traversal = await standing(world, "person_id,email,account_id\np,p@a.example,a\n")
    await world.happen("form_filled", person="p", form="x")
    assert (await world.walk(traversal)).ended
    while await sync.drain_page(world.engage, world.platform, world.munchkin, world.now):
        pass
    assert await world.platform.fetchval("select count(*) from changes where origin = 'sync'")
    bundles = await brought(world, monkeypatch)
    assert [bundle.accounts for bundle in bundles] == [[]]


async def test_somebody_who_joins_brings_a_history_that_listeners_hear(world: World) -> None:
    workspace, _ = await standing(world, "person_id,email,account_id\np,p@a.example,a\n")
    # q acts before the account has anything to do with q
    await world.load(workspace, people="person_id,email,account_id\nq,q@a.example,\n")
    await world.load(workspace, events=forms(world, "q", 3))
    await world.follow()
    assert await count(world, "activities where type = 'form_filled'") == 0
    await world.load(workspace, relations="account_id,person_id,roles\na,q,\n")
    await world.follow()
    assert await count(world, "activities where type = 'form_filled'") == 3
    assert await count(world, "wakeups") == 1


async def test_person_whose_address_comes_later_brings_a_history(world: World) -> None:
    people = "person_id,email,account_id\np,p@a.example,a\nq,,a\n"
    workspace, _ = await standing(world, people, forms(world, "q", 3))
    assert await count(world, "people") == 1
    await world.load(workspace, people=people.replace("q,,a", "q,q@a.example,a"))
    await world.follow()
    assert await count(world, "people") == 2
    assert await count(world, "activities where person_id = (select max(id) from people)") == 3


async def test_second_journey_brings_in_only_who_is_not_here(
    world: World,
) -> None:
    people = "person_id,email,account_id\np,p@a.example,a\n"
    workspace, _ = await standing(world, people, forms(world, "p", 5))
    second = world.workspace(JOURNEY.replace("journey: renew", "journey: second"))
    # what has just happened to the account that is here is the stream's to tell
    await world.load(workspace, events=forms(world, "p", 1, first=5))
    journey_id = await world.publish(second, "second")
    assert len(await world.enter(journey_id)) == 1
    assert await count(world, "wakeups") == 0
    await world.follow()
    assert await count(world, "activities where type = 'form_filled'") == 6
    assert await count(world, "wakeups") == 1


async def test_event_recorded_between_page_and_export_is_heard(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = "person_id,email,account_id\np,p@a.example,a\n"
    workspace, _ = await standing(world, people)
    real = down_flow.export

    async def late(*args: Any, **kwargs: Any) -> Bundle:
        monkeypatch.setattr(down_flow, "export", real)
        await world.load(workspace, events=forms(world, "q", 1))
        return await real(*args, **kwargs)

    monkeypatch.setattr(down_flow, "export", late)
    # q joins; what q does is committed after the page was read and before the account is exported
    await world.load(workspace, people="person_id,email,account_id\nq,q@a.example,a\n")
    await world.follow()
    assert await count(world, "activities where type = 'form_filled'") == 1
    assert await count(world, "listeners where closed_at is null") == 0
