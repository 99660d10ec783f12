"""An account that a running import has brought enters journeys once its people are there too."""

import asyncio

from caravan.campaigns import audience_flow
from caravan.engage.awaiting_entry import awaiting_entry
from caravan.journeys.workspace import Workspace
from caravan.platform import running_imports, sql
from tests.world import World

JOURNEY = """
audience: named
of: accounts
when: {account: {name: {empty: false}}}
---
journey: welcome
audience: named
schedule: {end: 90 days}
start: greet
nodes:
  greet: {do: [{send_email: {template: hello}}], end: greeted}
"""
OLD = "account_id,name\nold,Old\n"
NEW = "account_id,name\nnew,New\n"


async def live(world: World) -> tuple[Workspace, int]:
    """A live journey, and an account that is there and in no audience of it."""
    workspace = world.workspace(JOURNEY, ("hello",))
    await world.load(workspace, accounts="account_id,name\nold,\n")
    journey = await world.publish(workspace, "welcome")
    await world.enter(journey)
    await world.follow()
    return workspace, journey


async def inside(world: World, journey: int) -> list[str]:
    await world.follow()
    await world.admit(journey)
    rows = await world.engage.fetch(
        "select a.external_id from traversals t join accounts a on a.id = t.account_id order by t.id"
    )
    return [row["external_id"] for row in rows]


async def number(world: World, account: str) -> int:
    found: int = await world.engage.fetchval(
        "select id from accounts where external_id = $1", account
    )
    return found


async def test_account_waits_for_its_people_and_the_first_mail_goes_to_them(world: World) -> None:
    workspace, journey = await live(world)
    async with running_imports.running(world.platform):
        await world.load(workspace, accounts=NEW)
        assert await inside(world, journey) == []
        [waiting] = await awaiting_entry(world.engage, await number(world, "new"), world.now)
        assert waiting.reason == "import"
        await world.load(workspace, people="person_id,email,account_id\np,p@n.example,new\n")
    assert await inside(world, journey) == ["new"]
    await world.walk(await world.engage.fetchval("select id from traversals"))
    assert world.mailed() == [("hello", "p@n.example")]


async def test_account_that_was_there_before_the_import_need_not_wait(world: World) -> None:
    workspace, journey = await live(world)
    async with running_imports.running(world.platform):
        await world.load(workspace, accounts=OLD)
        assert await inside(world, journey) == ["old"]


async def test_what_has_not_come_down_yet_is_waited_for_also_when_the_import_is_over(
    world: World,
) -> None:
    workspace, journey = await live(world)
    async with running_imports.running(world.platform):
        await world.load(workspace, accounts=NEW)
        await world.follow()
    await world.admit(journey)  # before anything of the rest has been followed
    assert await world.engage.fetchval("select count(*) from traversals") == 0
    assert await inside(world, journey) == ["new"]
    assert await world.platform.fetchval("select count(*) from running_imports") == 0


async def test_import_whose_process_died_keeps_nobody_waiting(world: World) -> None:
    workspace, journey = await live(world)
    async with world.platform.acquire() as importing:
        begun = await sql.fetchrow(importing, "begin_import")
        await sql.execute(importing, "hold_import", id=begun["id"])
        await world.load(workspace, accounts=NEW)
        assert await inside(world, journey) == []
        importing.terminate()
    for _ in range(100):  # its server process ends by itself
        if await inside(world, journey) == ["new"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("still waiting")


async def test_first_accounts_of_a_journey_published_meanwhile_wait_too(world: World) -> None:
    workspace = world.workspace(JOURNEY, ("hello",))
    async with running_imports.running(world.platform):
        await world.load(workspace, accounts=NEW)
        journey = await world.publish(workspace, "welcome")
        await audience_flow.build_segment(world.engage, world.platform, journey, world.now)
        assert await world.enter(journey) == []
    assert await inside(world, journey) == ["new"]
