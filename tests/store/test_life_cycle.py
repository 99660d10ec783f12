"""A journey's life: published once whoever publishes, edited while it is live, closed and finished."""

import asyncio

from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.admission import AdmissionActivities
from activities.journey_starts import JourneyStarts, StartOptions
from caravan.campaigns import audience_flow
from caravan.engage import journeys, sql
from caravan.journeys.compiler import compile_journey
from caravan.platform import audiences
from tests.world import World
from workflows.contracts import AdmissionRequest

NORDIC = """
audience: nordic
of: accounts
when: {account: {country: SE}}
---
"""
RICH = """
audience: rich-nordic
of: accounts
when: {all: [{audience: nordic}, {account: {annual_revenue: {at_least: 100}}}]}
---
"""
JOURNEY = """
journey: nurture
audience: nordic
schedule: {end: 30 days, grace: 5 days}
start: rest
nodes:
  rest: {wait: 31 days, end: over}
"""
ACCOUNTS = "account_id,name,country,annual_revenue\na,Acme,SE,500\nb,Bcme,NO,500\nc,Ccme,FI,500\n"


async def life(world: World, journey_id: int) -> str:
    return str(await world.engage.fetchval("select state from journeys where id = $1", journey_id))


async def inside(world: World) -> set[str]:
    rows = await world.engage.fetch(
        "select a.external_id from traversals t join accounts a on a.id = t.account_id"
    )
    return {row["external_id"] for row in rows}


async def test_edited_audience_lets_in_who_qualifies_now(world: World) -> None:
    workspace = world.workspace(NORDIC + JOURNEY)
    await world.load(workspace, accounts=ACCOUNTS)
    journey_id = await world.publish(workspace, "nurture")
    await world.enter(journey_id)
    await world.follow()
    assert await inside(world) == {"a"}

    wider = world.workspace(NORDIC.replace("country: SE", "country: [SE, NO]") + JOURNEY)
    assert await world.publish(wider, "nurture") == journey_id
    await world.follow()
    await world.admit(journey_id)
    assert await inside(world) == {"a", "b"}


async def test_edited_audience_counts_where_another_names_it(world: World) -> None:
    rich = JOURNEY.replace("audience: nordic", "audience: rich-nordic")
    workspace = world.workspace(NORDIC + RICH + rich)
    await world.load(workspace, accounts=ACCOUNTS)
    journey_id = await world.publish(workspace, "nurture")
    await world.enter(journey_id)
    await world.follow()

    wider = world.workspace(NORDIC.replace("country: SE", "country: [SE, FI]") + RICH + rich)
    await world.publish(wider, "nurture")
    await world.follow()
    await world.admit(journey_id)
    assert await inside(world) == {"a", "c"}


async def test_audience_that_says_the_same_questions_nobody(world: World) -> None:
    workspace = world.workspace(NORDIC + JOURNEY)
    await world.load(workspace, accounts=ACCOUNTS)
    await world.enter(await world.publish(workspace, "nurture"))
    changes = "select count(*) from changes where origin = 'time'"
    await world.publish(workspace, "nurture")
    assert await world.platform.fetchval(changes) == 0
    async with world.platform.acquire() as conn, conn.transaction():
        await audiences.store(conn, workspace.audiences["nordic"], "Pacific/Apia", world.now)
    assert await world.platform.fetchval(changes) == 3


async def test_editor_waits_for_who_evaluates_by_the_old_condition(world: World) -> None:
    workspace = world.workspace(NORDIC + JOURNEY)
    await world.load(workspace, accounts=ACCOUNTS)
    await world.publish(workspace, "nurture")
    async with world.platform.acquire() as conn, conn.transaction():
        await audiences.evaluate(conn, "nordic", await audiences.in_force(conn), world.now, [])
        editing = asyncio.create_task(world.publish(workspace, "nurture"))
        await _blocked(world, 1)
        assert not editing.done()
    await editing


async def test_publishers_of_a_new_journey_take_turns(world: World) -> None:
    workspace = world.workspace(NORDIC + JOURNEY)
    stored = await asyncio.gather(
        *(
            journeys.publish(world.engage, compile_journey(workspace, "nurture"), world.now)
            for _ in range(4)
        )
    )
    assert sorted(one.change for one in stored) == ["published"] + ["unchanged"] * 3
    assert {one.version for one in stored} == {1}


async def test_journey_closes_at_its_end_and_finishes_when_empty(world: World) -> None:
    workspace = world.workspace(NORDIC + JOURNEY)
    await world.load(workspace, accounts=ACCOUNTS)
    journey_id = await world.publish(workspace, "nurture")
    [traversal] = await world.enter(journey_id)
    await world.walk(traversal)
    await journeys.note_ends(world.engage, world.now)
    assert await life(world, journey_id) == "live"

    world.pass_time(days=31)
    await journeys.note_ends(world.engage, world.now)
    assert await life(world, journey_id) == "closed"
    assert await sql.fetch(world.engage, "running_journeys") == []
    world.pass_time(minutes=1)
    assert (await world.walk(traversal)).ended
    await journeys.note_ends(world.engage, world.now)
    assert await life(world, journey_id) == "finished"
    again = await journeys.publish(world.engage, compile_journey(workspace, "nurture"), world.now)
    assert again.change == "ended"


async def test_nobody_is_queued_for_a_journey_past_its_end(world: World) -> None:
    workspace = world.workspace(NORDIC + JOURNEY)
    await world.load(workspace, accounts=ACCOUNTS)
    journey_id = await world.publish(workspace, "nurture")
    await world.enter(journey_id)
    await world.follow()
    world.pass_time(days=31)
    for city in ("Oslo", "Kiel"):
        more = f"account_id,name,country,city\nd,Dcme,SE,{city}\n"
        await world.load(workspace, accounts=more)
        await world.follow()
    assert await world.engage.fetchval("select count(*) from admissions") == 0
    assert len(await world.admit(journey_id)) == 1


async def test_queue_of_a_closed_journey_is_emptied(world: World) -> None:
    workspace = world.workspace(NORDIC + JOURNEY)
    await world.load(workspace, accounts=ACCOUNTS)
    journey_id = await world.publish(workspace, "nurture")
    await audience_flow.build_segment(world.engage, world.platform, journey_id, world.now)
    await audience_flow.bring_in_page(
        world.engage, world.platform, world.plans, journey_id, world.now
    )
    assert await world.engage.fetchval("select count(*) from admissions") == 1
    world.pass_time(days=31)
    await journeys.note_ends(world.engage, world.now)
    assert await world.engage.fetchval("select count(*) from admissions") == 0
    assert await life(world, journey_id) == "finished"


async def test_close_waits_for_an_admission_under_way(world: World) -> None:
    workspace = world.workspace(NORDIC + JOURNEY)
    await world.load(workspace, accounts=ACCOUNTS)
    journey_id = await world.publish(workspace, "nurture")
    await audience_flow.build_segment(world.engage, world.platform, journey_id, world.now)
    await audience_flow.bring_in_page(
        world.engage, world.platform, world.plans, journey_id, world.now
    )
    async with world.engage.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        # an admitter is held up in the middle of its page
        await conn.execute("lock table entries in exclusive mode")
        admitting = asyncio.create_task(world.admit(journey_id))
        await _blocked(world, 1)
        closing = asyncio.create_task(
            journeys.note_ends(world.engage, world.now.replace(year=world.now.year + 1))
        )
        await _blocked(world, 2)
        await transaction.rollback()
    assert len(await admitting) == 1
    await closing
    assert await life(world, journey_id) == "closed"


async def test_admission_that_finds_its_journey_ended_closes_it(world: World) -> None:
    workspace = world.workspace(NORDIC + JOURNEY)
    journey_id = await world.publish(workspace, "nurture")
    await world.engage.execute("update journeys set ends_at = now()")
    nobody = await Client.connect("127.0.0.1:9", lazy=True)  # none is to be started
    admission = AdmissionActivities(world.stores, JourneyStarts(nobody, StartOptions()))
    request = AdmissionRequest(munchkin=world.munchkin, journey_id=journey_id, as_of=world.now)
    reply = await ActivityEnvironment().run(admission.admit, request)
    assert reply.over
    assert await life(world, journey_id) == "finished"


async def _blocked(world: World, count: int) -> None:
    query = "select count(*) from pg_locks where not granted"
    while await world.engage.fetchval(query) < count:
        await asyncio.sleep(0.01)
