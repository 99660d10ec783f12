"""Audiences as they are kept: who leaves is noted, whole evaluation stands in nobody's way, no change is missed."""

import asyncio
import json
import re
from typing import Any

import pytest

from caravan.platform import audiences, down_flow, whole_evaluation
from caravan.platform import sql as platform_sql
from caravan.platform.whole_evaluation import evaluate_whole
from tests.world import World

DOCUMENTS = """
audience: energy
of: accounts
when: {account: {industry: Energy}}
---
audience: selling
of: accounts
when: {opportunity: {is_closed: false}}
---
audience: visitors
of: people
when: {did: {event: page_visited, within: 30 days}}
---
journey: nurture
audience: energy
schedule: {end: 90 days}
start: rest
nodes:
  rest: {wait: 80 days}
"""
ACCOUNTS = "account_id,name,industry\na,Acme,Energy\nb,Beta,Energy\nc,Coal,Retail\n"
OF = {"energy": "accounts", "selling": "accounts", "visitors": "people"}


async def look_again(world: World) -> None:
    """What the stream does with each page, for the audiences here."""
    cursor = down_flow.Cursor()
    while page := await down_flow.read(world.platform, cursor, world.now):
        await down_flow.look_again(world.platform, page, [], world.now, OF)
        cursor = page[-1].at


async def members(world: World, audience: str) -> list[str]:
    table = OF[audience]
    rows = await world.platform.fetch(
        f"select x.external_id from audience_members m join {table} x on x.id = m.subject_id"
        " where m.audience = $1 order by 1",
        audience,
    )
    return [row["external_id"] for row in rows]


async def departures(world: World, audience: str) -> list[tuple[Any, ...]]:
    rows = await platform_sql.fetch(
        world.platform, "departures_of_audience", audience=audience, of=OF[audience], limit=10
    )
    return [(row["external_id"], row["qualified_at"], row["left_at"]) for row in rows]


async def test_leaving_is_noted_and_takes_no_account_out_of_a_journey(world: World) -> None:
    workspace = world.workspace(DOCUMENTS)
    await world.load(workspace, accounts=ACCOUNTS)
    journey_id = await world.publish(workspace, "nurture")
    traversals = await world.enter(journey_id)
    entered = world.now
    assert len(traversals) == 2
    await world.follow()
    world.pass_time(hours=1)
    await world.load(workspace, accounts="account_id,name,industry\na,Acme,Retail\n")
    await world.follow()
    assert await members(world, "energy") == ["b"]
    assert await departures(world, "energy") == [("a", entered, world.now)]
    for traversal in traversals:
        state = await world.walk(traversal)
        assert state.ended is None
        assert state.position == "rest"


async def test_whole_evaluation_notes_who_has_left_and_keeps_since_when_others_are_in(
    world: World,
) -> None:
    workspace = world.workspace(DOCUMENTS)
    await world.store(workspace)
    await world.load(workspace, accounts=ACCOUNTS)
    first = world.now
    assert await evaluate_whole(world.platform, "energy", first) == 2
    world.pass_time(days=1)
    await world.load(workspace, accounts="account_id,name,industry\na,Acme,Retail\nc,Coal,Energy\n")
    assert await evaluate_whole(world.platform, "energy", world.now) == 2
    assert await members(world, "energy") == ["b", "c"]
    assert await departures(world, "energy") == [("a", first, world.now)]
    ids = {
        row["external_id"]: row["id"]
        for row in await world.platform.fetch("select * from accounts")
    }
    async with world.platform.acquire() as conn:
        since = await audiences.members_since(conn, "energy", list(ids.values()))
    assert since == {ids["b"]: first, ids["c"]: world.now}


async def test_person_without_an_account_is_looked_at_by_event_and_by_time(world: World) -> None:
    workspace = world.workspace(DOCUMENTS)
    await world.store(workspace)
    await world.load(workspace, people="person_id,email\np,p@a.example\n")
    event = {"id": "e", "at": world.now.isoformat(), "type": "page_visited", "person_id": "p"}
    await world.load(workspace, events=json.dumps(event) + "\n")
    await look_again(world)
    assert await members(world, "visitors") == ["p"]
    world.pass_time(days=31)
    await look_again(world)
    assert await members(world, "visitors") == []


async def test_account_that_an_opportunity_has_left_is_looked_at(world: World) -> None:
    workspace = world.workspace(DOCUMENTS)
    await world.store(workspace)
    opportunity = "opportunity_id,account_id,name,is_closed\no,{account},Deal,false\n"
    await world.load(workspace, accounts=ACCOUNTS, opportunities=opportunity.format(account="a"))
    await look_again(world)
    assert await members(world, "selling") == ["a"]
    await world.load(workspace, opportunities=opportunity.format(account="b"))
    await look_again(world)
    assert await members(world, "selling") == ["b"]


@pytest.fixture
def between_finding_and_writing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Something that happens, once, after a whole evaluation has found who matches and before it writes them."""

    def install(happen: Any) -> None:
        real = whole_evaluation._settle
        once = [happen]

        async def settle(*args: Any) -> None:
            if once:
                await once.pop()()
            await real(*args)

        monkeypatch.setattr(whole_evaluation, "_settle", settle)

    return install


async def test_what_changes_during_a_whole_evaluation_is_right_in_the_end(
    world: World, between_finding_and_writing: Any
) -> None:
    workspace = world.workspace(DOCUMENTS)
    await world.store(workspace)
    await world.load(workspace, accounts=ACCOUNTS)
    await evaluate_whole(world.platform, "energy", world.now)

    async def change() -> None:
        """The stream is quicker: it has evaluated both before the older finding is written."""
        swapped = "account_id,name,industry\nb,Beta,Retail\nc,Coal,Energy\n"
        await world.load(workspace, accounts=swapped)
        ids = [row["id"] for row in await world.platform.fetch("select id from accounts")]
        async with world.platform.acquire() as conn, conn.transaction():
            said = await audiences.in_force(conn)
            await audiences.evaluate(conn, "energy", said, world.now, ids)
        assert await members(world, "energy") == ["a", "c"]

    between_finding_and_writing(change)
    world.pass_time(minutes=1)
    await asyncio.wait_for(evaluate_whole(world.platform, "energy", world.now), 10)
    questions = await world.platform.fetchval("select count(*) from changes where origin = 'time'")
    assert questions == 2
    await look_again(world)
    assert await members(world, "energy") == ["a", "c"]


async def test_event_during_a_whole_evaluation_counts_in_the_end(
    world: World, between_finding_and_writing: Any
) -> None:
    workspace = world.workspace(DOCUMENTS)
    await world.store(workspace)
    await world.load(workspace, people="person_id,email\np,p@a.example\n")
    event = {"id": "e", "at": world.now.isoformat(), "type": "page_visited", "person_id": "p"}

    async def visit() -> None:
        await world.load(workspace, events=json.dumps(event) + "\n")
        await world.platform.execute("insert into audience_members select 'visitors', id, $1 from people", world.now)  # fmt: skip

    between_finding_and_writing(visit)
    assert await evaluate_whole(world.platform, "visitors", world.now) == 0
    assert await members(world, "visitors") == []
    questions = await world.platform.fetch("select entity from changes where origin = 'time'")
    assert [row["entity"] for row in questions] == ["person"]
    await look_again(world)
    assert await members(world, "visitors") == ["p"]


async def test_whole_evaluation_begins_again_where_an_audience_is_edited_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = world.workspace(DOCUMENTS)
    await world.store(workspace)
    await world.load(workspace, accounts=ACCOUNTS)
    edited = world.workspace(DOCUMENTS.replace("industry: Energy", "industry: Retail"))
    real, once = whole_evaluation._same, [edited.audiences["energy"]]

    async def same(conn: Any, edition: int) -> None:
        if once:
            async with world.platform.acquire() as other, other.transaction():
                await audiences.store(other, once.pop(), "UTC", world.now)
        await real(conn, edition)

    monkeypatch.setattr(whole_evaluation, "_same", same)
    await evaluate_whole(world.platform, "energy", world.now)
    assert await members(world, "energy") == ["c"]


async def test_reading_for_a_whole_evaluation_does_not_hold_back_the_outbox(world: World) -> None:
    workspace = world.workspace(DOCUMENTS)
    await world.store(workspace)
    await world.load(workspace, accounts=ACCOUNTS)
    async with world.platform.acquire() as conn, conn.transaction():
        await platform_sql.execute(conn, "allow_minutes")
        said = await audiences.stored(conn)
        assert len(await audiences.matching(conn, "energy", said, world.now)) == 2
        assert await conn.fetchval("select pg_current_xact_id_if_assigned() is null")


async def test_events_among_alternatives_are_not_read_through_for_each_account(
    world: World,
) -> None:
    """What is too large to be hashed would be: a minute for a hundred thousand events."""
    named = "{any: [{account: {industry: Energy}}, {did: {event: page_visited, within: 30 days}}]}"
    said = audiences.written(
        world.workspace(f"audience: either\nof: accounts\nwhen: {named}\n").audiences, "UTC"
    )
    statement = audiences.selection("either", said)
    async with world.platform.acquire() as conn, conn.transaction():
        await conn.execute(
            "insert into activities (external_id, type, at, account_id, fields)"
            " select n::text, 'page_visited', $1, n, '{}' from generate_series(1, 10000) n",
            world.now,
        )
        await conn.execute("analyze activities")
        await conn.execute("set local work_mem = '64kB'")
        plan = await conn.fetch(f"explain {statement.sql}", *statement.binder.args(as_of=world.now))
    told = "\n".join(row[0] for row in plan)
    assert "SubPlan" in told
    assert not re.search(r"ANY \(.* = \(SubPlan", told), told


async def test_stretches_of_ids_leave_nobody_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_evaluation, "STRETCH", 2)
    workspace = world.workspace(DOCUMENTS)
    await world.store(workspace)
    rows = "".join(f"n{number},N,{'Energy' if number % 3 else 'Retail'}\n" for number in range(9))
    await world.load(workspace, accounts="account_id,name,industry\n" + rows)
    assert await evaluate_whole(world.platform, "energy", world.now) == 6
    assert await members(world, "energy") == ["n1", "n2", "n4", "n5", "n7", "n8"]
