"""Entry: who may come in, again, and when; refused with the rule, and decided once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from caravan.campaigns import admission, audience_flow
from caravan.engage import admissions, journeys, sql
from caravan.engage.awaiting_entry import awaiting_entry
from tests.world import World

NORDIC = """
audience: nordic
of: accounts
when: {account: {country: SE}}
---
journey: again
audience: nordic
schedule: {end: 300 days}
RULES
start: rest
nodes:
  rest: {wait: 1 day, end: over}
"""
TABLE = "account_id,name,country\na,Acme,{}\n"


async def publish(world: World, rules: str, table: str = TABLE.format("SE")) -> int:
    workspace = world.workspace(NORDIC.replace("RULES", rules))
    await world.load(workspace, accounts=table)
    journey_id = await world.publish(workspace, "again")
    world.pass_time(seconds=1)
    await world.enter(journey_id)
    await world.follow()
    return journey_id


async def becomes(world: World, country: str) -> None:
    world.pass_time(seconds=1)
    await world.load(
        world.workspace("---\naudience: x\nwhen: {}\n"), accounts=TABLE.format(country)
    )
    await world.follow()


async def entered(world: World, journey_id: int) -> list[datetime]:
    """Let in who may come in now; when each entry was, in order."""
    await world.admit(journey_id)
    rows = await world.engage.fetch("select entered_at from traversals order by entered_at, id")
    return [row["entered_at"] for row in rows]


async def walk_out(world: World) -> None:
    world.pass_time(days=1)
    for row in await world.engage.fetch("select id from traversals where ended_at is null"):
        assert (await world.walk(row["id"])).ended is not None


async def refused(world: World) -> str | None:
    value: str | None = await world.engage.fetchval("select refused from entries")
    return value


async def wait_until(world: World, journey_id: int, at: datetime) -> None:
    """As the admission stream does: look whenever time may let somebody in, to the instant."""
    journey = await sql.fetchrow(world.engage, "journey_by_id", id=journey_id)
    await world.admit(journey_id)
    while (due := await admission.next_look(world.engage, journey, world.now)) and due <= at:
        world.now = due
        await world.admit(journey_id)
    world.now = at


async def test_account_enters_once_where_nothing_is_said_of_re_entry(world: World) -> None:
    journey_id = await publish(world, "")
    await walk_out(world)
    await becomes(world, "NO")
    await becomes(world, "SE")
    assert len(await entered(world, journey_id)) == 1
    assert await refused(world) == "1 of 1 entries used"


async def test_account_that_stays_in_the_audience_enters_again_when_its_re_entry_opens(
    world: World,
) -> None:
    journey_id = await publish(world, "reentry: {after: 30 days, from: end, limit: 2}")
    first = (await entered(world, journey_id))[0]
    await walk_out(world)
    ended = world.now
    await wait_until(world, journey_id, ended + timedelta(days=60))
    assert await entered(world, journey_id) == [first, ended + timedelta(days=30)]
    await walk_out(world)
    await wait_until(world, journey_id, world.now + timedelta(days=60))
    assert len(await entered(world, journey_id)) == 2
    assert await refused(world) == "2 of 2 entries used"


async def test_re_entry_may_count_from_the_start(world: World) -> None:
    journey_id = await publish(world, "reentry: {after: 12 hours, from: start}")
    [first] = await entered(world, journey_id)
    world.pass_time(hours=13)
    # inside, it is not let in a second time
    assert await entered(world, journey_id) == [first]
    await walk_out(world)
    assert await entered(world, journey_id) == [first, world.now]


async def test_change_before_re_entry_opens_is_refused_with_the_rule(world: World) -> None:
    journey_id = await publish(world, "reentry: {after: 30 days, from: end}")
    await walk_out(world)
    opens = world.now + timedelta(days=30)
    await becomes(world, "NO")
    await becomes(world, "SE")
    assert len(await entered(world, journey_id)) == 1
    assert await refused(world) == f"30 days from end: not before {opens:%Y-%m-%d %H:%M:%S} UTC"
    # it does not wait twice for the same instant
    assert await world.engage.fetchval("select count(*) from admissions") == 1
    world.now = opens
    assert len(await entered(world, journey_id)) == 2
    assert await refused(world) is None


async def test_who_has_left_the_audience_does_not_enter_again(world: World) -> None:
    journey_id = await publish(world, "reentry: {after: 1 day, from: end}")
    await walk_out(world)
    await becomes(world, "NO")
    world.pass_time(days=5)
    assert len(await entered(world, journey_id)) == 1
    await becomes(world, "SE")
    assert len(await entered(world, journey_id)) == 2


async def test_re_entry_may_require_that_the_account_qualified_anew(world: World) -> None:
    rules = "reentry: {after: 1 hour, from: end, requires: requalified}"
    journey_id = await publish(world, rules)
    await walk_out(world)
    world.pass_time(days=2)
    assert len(await entered(world, journey_id)) == 1
    why = await refused(world)
    assert why is not None
    assert why.startswith("not requalified: in the audience since ")
    await becomes(world, "NO")
    await becomes(world, "SE")
    assert len(await entered(world, journey_id)) == 2


async def test_requalifying_while_inside_counts(world: World) -> None:
    rules = "reentry: {after: 1 hour, from: end, requires: requalified}"
    journey_id = await publish(world, rules)
    await becomes(world, "NO")
    await becomes(world, "SE")
    await walk_out(world)
    await wait_until(world, journey_id, world.now + timedelta(days=1))
    assert len(await entered(world, journey_id)) == 2


async def test_those_already_qualified_may_be_left_out(world: World) -> None:
    journey_id = await publish(world, "admit: {already_qualified: false}")
    assert await entered(world, journey_id) == []
    why = await refused(world)
    assert why is not None
    assert why.startswith("already qualified: ")
    await becomes(world, "NO")
    assert await entered(world, journey_id) == []
    await becomes(world, "SE")
    assert len(await entered(world, journey_id)) == 1


async def test_so_many_a_day_by_the_journeys_calendar(world: World) -> None:
    world.now = datetime(2026, 6, 1, 20, tzinfo=UTC)
    rows = "".join(f"a{n},Acme {n},SE\n" for n in range(7))
    rules = "zone: Europe/Stockholm\nadmit: {per_day: 3}"
    journey_id = await publish(world, rules, f"account_id,name,country\n{rows}")
    assert len(await entered(world, journey_id)) == 3
    journey = await sql.fetchrow(world.engage, "journey_by_id", id=journey_id)
    midnight = datetime(2026, 6, 1, 22, tzinfo=UTC)
    assert await admission.next_look(world.engage, journey, world.now) == midnight
    await wait_until(world, journey_id, midnight + timedelta(days=3))
    times = await entered(world, journey_id)
    assert times[3:] == [midnight] * 3 + [midnight + timedelta(days=1)]


async def test_who_waits_for_its_day_its_turn_or_its_reentry_is_told(world: World) -> None:
    world.now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    rows = "".join(f"a{n},Acme {n},SE\n" for n in range(7))
    rules = "admit: {per_day: 2}\nreentry: {after: 5 days, from: end}"
    journey_id = await publish(world, rules, f"account_id,name,country\n{rows}")

    async def waits(name: str) -> list[tuple[str, int, str]]:
        account = await sql.fetchrow(world.engage, "find_account", key=name)
        told = await awaiting_entry(world.engage, account["id"], world.now)
        return [(one.reason, one.ahead, one.why) for one in told]

    inside, queue = [
        [row["external_id"] for row in await world.engage.fetch(query)]
        for query in (
            "select external_id from accounts a join traversals t on t.account_id = a.id",
            "select external_id from accounts a join admissions w on w.account_id = a.id"
            " group by external_id order by min(w.id)",  # who is queued twice stands there once
        )
    ]
    assert (len(inside), len(queue)) == (2, 5)
    assert await waits(inside[0]) == []
    [(reason, ahead, why)] = await waits(queue[4])
    assert (reason, ahead) == ("per-day", 4)
    assert why == "2 enter a day (UTC) and 2 have today; 4 before it, so not before 2026-06-04"
    world.pass_time(days=1)
    assert (await waits(queue[1]))[0][:2] == ("turn", 1)
    await world.engage.execute("update journeys set paused_at = now()")
    assert (await waits(queue[1]))[0][0] == "paused"
    await world.engage.execute("update journeys set paused_at = null")
    for traversal in await world.admit(journey_id):
        await world.walk(traversal)
    world.pass_time(hours=1)
    await world.admit(journey_id)
    [(reason, _, why)] = await waits(inside[0])
    assert reason == "re-entry"
    assert why.startswith("it may enter again from 2026-06-0")


async def test_admitters_at_once_keep_to_the_day(world: World) -> None:
    rows = "".join(f"a{n},Acme {n},SE\n" for n in range(60))
    workspace = world.workspace(NORDIC.replace("RULES", "admit: {per_day: 25}"))
    await world.load(workspace, accounts=f"account_id,name,country\n{rows}")
    journey_id = await world.publish(workspace, "again")
    await audience_flow.build_segment(world.engage, world.platform, journey_id, world.now)
    while await audience_flow.bring_in_page(
        world.engage, world.platform, world.plans, journey_id, world.now
    ):
        pass
    journey: Any = await sql.fetchrow(world.engage, "journey_by_id", id=journey_id)
    await asyncio.gather(
        *(
            admission.admit_page(
                world.engage, world.platform, world.munchkin, journey, world.now, limit=7
            )
            for _ in range(10)
        )
    )
    assert len(await entered(world, journey_id)) == 25


async def test_admitters_at_once_let_an_account_in_once(world: World) -> None:
    journey_id = await publish(world, "reentry: {after: 1 hour, from: end}")
    await walk_out(world)
    world.pass_time(hours=2)
    journey: Any = await sql.fetchrow(world.engage, "journey_by_id", id=journey_id)
    account = await world.engage.fetchval("select id from accounts")
    async with world.engage.acquire() as conn, conn.transaction():
        for _ in range(8):
            await admissions.queue(conn, journey, [account], world.now)
    await asyncio.gather(
        *(
            admission.admit_page(
                world.engage, world.platform, world.munchkin, journey, world.now, limit=1
            )
            for _ in range(8)
        )
    )
    assert len(await entered(world, journey_id)) == 2


async def test_account_another_journey_adds_need_not_be_in_the_audience(world: World) -> None:
    journey_id = await publish(world, "", TABLE.format("SE") + "b,Bcme,NO\n")
    other = await world.publish(
        world.workspace("journey: all\naudience: everyone\nschedule: {end: 9 days}\nstart: a\nnodes: {a: {wait: 1 day}}\n"),
        "all",
    )  # fmt: skip
    await world.enter(other)
    journey: Any = await sql.fetchrow(world.engage, "journey_by_id", id=journey_id)
    account = await world.engage.fetchval("select id from accounts where external_id = 'b'")
    async with world.engage.acquire() as conn, conn.transaction():
        await admissions.queue(conn, journey, [account], world.now)
    assert len(await world.admit(journey_id)) == 1
    async with world.engage.acquire() as conn, conn.transaction():
        await admissions.queue(conn, journey, [account], world.now, invited=True)
    assert len(await world.admit(journey_id)) == 2


async def test_journey_with_a_start_to_come_is_scheduled_and_then_live(world: World) -> None:
    start = world.now + timedelta(days=2)
    text = NORDIC.replace("RULES", "").replace("{end:", f"{{start: {start.isoformat()}, end:")
    workspace = world.workspace(text)
    await world.load(workspace, accounts=TABLE.format("SE"))
    journey_id = await world.publish(workspace, "again")

    async def state() -> str:
        return str(await world.engage.fetchval("select state from journeys"))

    assert await state() == "scheduled"
    assert await journeys.note_starts(world.engage, world.now) == []
    assert await world.admit(journey_id) == []
    world.now = start
    [begun] = await journeys.note_starts(world.engage, world.now)
    assert begun["id"] == journey_id
    assert await state() == "live"
    assert len(await world.enter(journey_id)) == 1
    ends = await world.engage.fetchval("select ends_at from journeys")
    # an end that is a duration counts from the start
    assert ends == start + timedelta(days=300)


async def test_those_inside_stay_until_the_end_and_its_grace(world: World) -> None:
    workspace = world.workspace(
        NORDIC.replace("RULES", "").replace("300 days", "10 days, grace: 2 days").replace(
            "wait: 1 day", "wait: 40 days"
        )
    )  # fmt: skip
    await world.load(workspace, accounts=TABLE.format("SE"))
    journey_id = await world.publish(workspace, "again")
    published = world.now
    [traversal] = await world.enter(journey_id)
    pending = (await world.walk(traversal)).pending
    assert pending is not None
    assert pending.until == published + timedelta(days=12)
    world.now = published + timedelta(days=11)
    assert (await world.walk(traversal)).position == "rest"
    world.now = pending.until
    state = await world.walk(traversal)
    assert state.ended is not None
    assert (state.ended.reason, state.ended.node) == ("end-date", "rest")
