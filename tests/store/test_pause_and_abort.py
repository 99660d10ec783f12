"""Pause, resume, close, abort, delete: what the store lets happen, and what it does not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from caravan.campaigns import stretch
from caravan.campaigns.served import Served
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.transport import BeforeContent, Outgoing, Verdict
from caravan.engage import admissions, journeys, life_cycle, sql
from caravan.journeys.life_cycle import NoJourney, Refused
from tests.world import World

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 30 days, grace: 1 day}
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}], next: rest}
  rest: {wait: 2 days, next: mark}
  mark:
    do: [{update_account: {field: source_type, value: seen}}]
    next: ears
  ears:
    listen: [{form_filled: {form: meeting}}]
    timeout: {after: 5 days}
    end: over
"""
ACCOUNTS = "account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(3))
PEOPLE = "person_id,email,account_id\n" + "".join(
    f"p{n}{k},p{n}{k}@x.example,a{n}\n" for n in range(3) for k in range(3)
)


async def start(world: World) -> list[int]:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    return await world.enter(await world.publish(workspace, "trip"))


async def serve(world: World, traversal: int) -> Served:
    step = (await world.state(traversal)).step_no
    return await stretch.run(world.engage, world.plans, traversal, step, world.now)


async def woken(world: World) -> list[int]:
    rows = await world.engage.fetch("select traversal_id from wakeups order by id")
    return [row["traversal_id"] for row in rows]


async def held(world: World) -> int:
    return int(
        await world.engage.fetchval("select count(*) from traversals where held_at is not null")
    )


async def test_paused_nothing_begins_and_waits_end(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    await life_cycle.pause(world.engage, "trip", world.now)
    world.pass_time(days=3)
    ran = await serve(world, first)
    assert [outcome.edge for outcome in ran.outcomes] == ["next"]  # the wait is over
    assert (await world.state(first)).position == "mark"
    assert ran.held_until is not None
    assert (await serve(world, first)).outcomes == []
    assert await held(world) == 1


async def test_paused_listen_hears_and_then_the_account_is_held(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    world.pass_time(days=3)
    await world.walk(first)
    assert (await world.state(first)).position == "ears"
    await life_cycle.pause(world.engage, "trip", world.now)
    await world.happen("form_filled", person=await person_of(world, first), form="meeting")
    ran = await serve(world, first)
    assert ran.ended is not None  # it leads out: nothing is begun by leaving
    assert ran.ended.label == "over"


async def test_mail_in_progress_stops_before_the_next_person_and_goes_on(world: World) -> None:
    [first, *_] = await start(world)
    await serve(world, first)

    world.transport = Interfering(lambda: life_cycle.pause(world.engage, "trip", world.now))
    sent = await world.send(first)
    assert sent.held_until is not None
    assert sent.outcomes == []
    states = [row["state"] for row in await world.ledger() if row["action"] == "send_email"]
    assert sorted(states) == ["accepted", "claimed", "claimed"]

    await life_cycle.resume(world.engage, "trip", world.now)
    world.transport = CaptureTransport()
    sent = await world.send(first, "try 2")
    assert sent.outcomes[0].counts == {"accepted": 3}
    assert len(world.transport.messages) == 2


async def test_resume_wakes_the_held_in_order_of_arrival(world: World) -> None:
    ids = await start(world)
    for traversal in reversed(ids):
        await world.walk(traversal)
        world.pass_time(hours=1)
    await life_cycle.pause(world.engage, "trip", world.now)
    for hour in range(3):
        world.pass_time(days=2 if hour == 0 else 0, hours=hour)
        await serve(world, ids[2 - hour])
    assert await held(world) == 3
    changed = await life_cycle.resume(world.engage, "trip", world.now)
    assert changed.versions == (1,)
    assert await woken(world) == list(reversed(ids))
    assert await held(world) == 0
    await world.walk(ids[0])
    assert (await world.state(ids[0])).position == "ears"


async def test_resume_that_died_is_finished_by_the_next_look(world: World) -> None:
    [first, *_] = await start(world)
    await life_cycle.pause(world.engage, "trip", world.now)
    await serve(world, first)
    await world.engage.execute("update journeys set paused_at = null")  # and then it died
    assert await life_cycle.wake_held(world.engage) == 1
    assert (await life_cycle.resume(world.engage, "trip", world.now)).versions == ()


async def test_account_about_to_be_held_and_resume_never_miss_each_other(world: World) -> None:
    ids = await start(world)
    for _ in range(5):
        await life_cycle.pause(world.engage, "trip", world.now)
        await asyncio.gather(
            *(serve(world, traversal) for traversal in ids),
            life_cycle.resume(world.engage, "trip", world.now),
        )
        # whoever was held has been woken
        assert await held(world) == 0
        assert len(await woken(world)) <= len(ids)
        await world.engage.execute("delete from wakeups")


async def test_end_date_applies_to_the_held(world: World) -> None:
    [first, *_] = await start(world)
    await life_cycle.pause(world.engage, "trip", world.now)
    until = (await serve(world, first)).held_until
    assert until is not None
    world.now = until
    ended = (await serve(world, first)).ended
    assert ended is not None
    assert ended.reason == "end-date"


async def test_nobody_enters_a_paused_journey_and_they_enter_after(world: World) -> None:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    journey_id = await world.publish(workspace, "trip")
    await life_cycle.pause(world.engage, "trip", world.now)
    assert await world.enter(journey_id) == []
    await life_cycle.resume(world.engage, "trip", world.now)
    assert len(await world.admit(journey_id)) == 3


async def test_nothing_commits_after_an_abort(world: World) -> None:
    ids = await start(world)
    await serve(world, ids[0])
    await world.walk(ids[1])
    assert await aborted(world) == ids
    before = await counts(world)
    world.pass_time(days=3)
    for traversal in ids:
        ran = await serve(world, traversal)
        assert ran.ended is not None
        assert ran.ended.reason == "aborted"
        assert ran.outcomes == []
        assert (await world.send(traversal)).ended == ran.ended
    assert await counts(world) == before
    assert (
        await world.engage.fetchval("select count(*) from listeners where closed_at is null") == 0
    )


async def test_mail_claimed_when_a_journey_is_aborted_does_not_leave(world: World) -> None:
    [first, *_] = await start(world)
    await serve(world, first)
    world.transport = Interfering(lambda: aborted(world))
    await world.send(first)
    told = {
        row["state"]: row["reason"] for row in await world.ledger() if row["action"] == "send_email"
    }
    assert told == {"accepted": None, "skipped": "journey-not-live"}


async def test_deleted_journey_is_out_of_every_list_and_what_it_sent_stays_told(
    world: World,
) -> None:
    ids = await start(world)
    await world.walk(ids[0])
    with pytest.raises(Refused, match="live"):
        await life_cycle.delete(world.engage, "trip", world.now)
    await aborted(world)
    await life_cycle.delete(world.engage, "trip", world.now)
    assert await sql.fetch(world.engage, "journeys", slug=None) == []
    who = await person_of(world, ids[0])
    person = await world.engage.fetchval("select id from people where external_id = $1", who)
    assert len(await sql.fetch(world.engage, "effects_of_person", person_id=person)) == 1
    with pytest.raises(NoJourney):
        await life_cycle.pause(world.engage, "trip", world.now)


async def test_ended_journey_is_published_again_as_a_new_version_when_asked(world: World) -> None:
    await start(world)
    await life_cycle.close(world.engage, "trip")
    with pytest.raises(Refused, match="--reopen"):
        await journeys.publish_stored(world.engage, "trip", world.now)
    workspace = world.workspace(JOURNEY, ("hi",))
    assert await world.engage.fetchval("select count(*) from journeys") == 1
    await world.publish(workspace, "trip")  # apply leaves it alone
    assert await world.engage.fetchval("select count(*) from journeys") == 1
    stored = await journeys.publish_stored(world.engage, "trip", world.now, reopen=True)
    assert (stored.version, stored.change) == (2, "published")
    rows = await sql.fetch(world.engage, "journeys", slug="trip")
    assert [(row["version"], row["state"]) for row in rows] == [(1, "closed"), (2, "live")]
    campaigns = await sql.fetch(world.engage, "campaigns_of_journey", slug="trip")
    assert {row["version"] for row in campaigns} == {1, 2}


async def test_copy_of_a_journey_is_a_draft(world: World) -> None:
    await start(world)
    stored = await journeys.duplicate(world.engage, "trip", "trip-copy")
    assert stored.change == "drafted"
    published = await journeys.publish_stored(world.engage, "trip-copy", world.now)
    assert published.change == "published"
    journey = await sql.fetchrow(world.engage, "journey_by_id", id=published.journey_id)
    assert journey["name"] == "trip (copy)"


async def person_of(world: World, traversal: int) -> str:
    return str(
        await world.engage.fetchval(
            "select min(p.external_id) from traversals t join relations r using (account_id)"
            " join people p on p.id = r.person_id where t.id = $1",
            traversal,
        )
    )


async def counts(world: World) -> list[int]:
    return [
        await world.engage.fetchval(f"select count(*) from {table}")
        for table in ("steps", "ledger", "activities", "changes", "participants")
    ]


class Interfering(CaptureTransport):
    """During its first mail something happens."""

    def __init__(self, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._happens = happens

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        verdict = await super().send(message, before_content)
        if self.accepted == 1:
            await self._happens()
        return verdict


async def aborted(world: World) -> list[int]:
    """Abort the journey; returns the traversals that were taken out."""
    await life_cycle.abort(world.engage, "trip")
    pages = life_cycle.take_out(world.engage, "trip", world.now)
    return [row["id"] async for page in pages for row in page]


async def test_closing_locks_entries_in_the_order_of_admission(world: World) -> None:
    """Else an admitter that has the first and one who closes and has the last wait for each other."""
    traversals = await start(world)
    journey = await sql.fetchrow(
        world.engage, "journey_by_id", id=await world.engage.fetchval("select id from journeys")
    )
    rows = await world.engage.fetch("select id from accounts order by id")
    first, *_, last = accounts = [row["id"] for row in rows]
    await close_all(world, traversals)
    again = []
    async with world.engage.acquire() as conn, conn.transaction():
        for account in reversed(accounts):  # so that traversals are in another order
            await admissions.admit(conn, world.munchkin, journey, {account: 1}, world.now)
        again = await conn.fetch("select id from traversals where ended_at is null")
    async with world.engage.acquire() as admitter, world.engage.acquire() as looker:
        async with admitter.transaction():
            await admissions.lock_entries(admitter, "trip", [first])
            closing = asyncio.create_task(close_all(world, [row["id"] for row in again]))
            await asyncio.sleep(0.5)
            assert not closing.done()
            async with looker.transaction():  # not ours to wait for
                await looker.execute(
                    "select from entries where account_id = $1 for update nowait", last
                )
        await closing
    assert await world.engage.fetchval("select bool_and(ended_at is not null) from traversals")


async def close_all(world: World, traversals: list[int]) -> None:
    await sql.fetch(
        world.engage, "close_traversals", traversal_ids=traversals, reason="removed", at=world.now
    )
