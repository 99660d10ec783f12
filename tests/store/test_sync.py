"""The two-way flow: outbox horizon, merge by field, no echo, convergence."""

import asyncio
import json
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.database.errors import NotOurs
from caravan.database.outbox import Cursor, read_page
from caravan.engage import sql
from caravan.engage import subscriptions as engage_subscriptions
from caravan.platform import sync
from tests.pairs import provision_sandbox
from tests.world import World

JOURNEY = """
journey: j
audience: everyone
schedule: {end: 30 days}
start: n
nodes:
  n: {do: [{update_account: {field: source_type, value: nurtured}}], end: x}
"""


async def start(world: World) -> int:
    workspace = world.workspace(JOURNEY)
    await world.load(
        workspace,
        accounts="account_id,name,city\na,Acme,Oslo\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "j"))
    return traversal


async def drain(world: World) -> int:
    rows = 0
    while moved := await sync.drain_page(world.engage, world.platform, world.munchkin, world.now):
        rows += moved
    return rows


async def write(world: World, field: str, value: str, at: timedelta = timedelta()) -> None:
    """A write of the engage store, as a journey makes it."""
    account = await world.engage.fetchval("select id from accounts")
    async with world.engage.acquire() as conn, conn.transaction():
        await sql.execute(
            conn,
            "set_account_field",
            id=account,
            field=field,
            fields={field: value},
            at=world.now + at,
        )


async def attributes(pool: asyncpg.Pool) -> dict[str, object]:
    row: dict[str, object] = await pool.fetchval("select attributes from accounts")
    return row


async def test_changed_fields_reach_the_platform_and_do_not_echo(world: World) -> None:
    traversal = await start(world)
    await world.follow()
    world.pass_time(seconds=5)
    await world.walk(traversal)
    assert await drain(world) == 1
    assert (await attributes(world.platform))["source_type"] == "nurtured"
    before = await world.engage.fetchval("select count(*) from changes")
    await world.follow()
    assert await drain(world) == 0
    assert await world.engage.fetchval("select count(*) from changes") == before
    changes = "select count(*) from activities where type = 'account_changed'"
    assert await world.engage.fetchval(changes) == 1


async def test_platform_keeps_a_later_value_and_its_verdict_flows_down(world: World) -> None:
    await start(world)
    await write(world, "city", "Bergen", at=-timedelta(days=1))
    assert (await attributes(world.engage))["city"] == "Bergen"
    await drain(world)
    assert (await attributes(world.platform))["city"] == "Oslo"
    await world.follow()
    assert (await attributes(world.engage))["city"] == "Oslo"


async def test_outbox_reader_waits_for_a_transaction_that_commits_late(world: World) -> None:
    await start(world)
    account = await world.engage.fetchval("select id from accounts")

    async def insert(conn: asyncpg.Connection, value: str) -> None:
        await sql.execute(
            conn,
            "write_changes",
            entity="account",
            ids=[account],
            fields=[{"city": value}],
            at=world.now,
        )

    async with world.engage.acquire() as slow, world.engage.acquire() as fast:
        late = slow.transaction()
        await late.start()
        await insert(slow, "late")
        await insert(fast, "early")
        assert await read_page(fast, Cursor(), 10) == []
        await late.commit()
        page = await read_page(fast, Cursor(), 10)
    assert sorted(json.loads(change.fields)["city"] for change in page) == ["early", "late"]


async def test_outbox_is_read_in_the_order_of_transaction_numbers(world: World) -> None:
    numbers = ["9", "10", "99", "100", "101"]
    for seq, xid in enumerate(reversed(numbers)):
        await world.engage.execute(
            "insert into changes (xid, entity, id, as_of, origin)"
            " values ($1::text::xid8, 'account', $2, $3, 'journey')",
            xid,
            seq,
            world.now,
        )
    async with world.engage.acquire() as conn:
        seen, cursor = [], Cursor()
        while page := await read_page(conn, cursor, 2):
            cursor = page[-1].at
            seen += [change.at.xid for change in page]
    assert seen == numbers


async def test_field_set_anew_to_its_value_keeps_out_what_is_older(world: World) -> None:
    workspace = world.workspace(JOURNEY)
    await start(world)
    world.pass_time(seconds=1)
    await world.load(workspace, accounts="account_id,name,city\na,Acme,Bergen\n")
    await write(world, "city", "Bergen", at=timedelta(minutes=5))
    await drain(world)
    world.pass_time(minutes=1)
    await world.load(workspace, accounts="account_id,name,city\na,Acme,Kiel\n")
    await drain(world)
    await world.follow()
    here, there = await attributes(world.engage), await attributes(world.platform)
    assert here["city"] == there["city"] == "Bergen"


async def test_changes_at_one_instant_are_one_and_the_last_word_counts(world: World) -> None:
    await start(world)
    for city in ("Bergen", "Kiel"):
        await write(world, "city", city, at=timedelta(minutes=1))
    await write(world, "city", "Turku", at=timedelta(minutes=2))
    await drain(world)
    assert (await attributes(world.platform))["city"] == "Turku"
    await write(world, "city", "Malmö", at=timedelta(minutes=3))
    await write(world, "city", "Lund", at=timedelta(minutes=3))
    await drain(world)
    assert (await attributes(world.platform))["city"] == "Lund"


async def test_stores_agree_when_the_earlier_instant_commits_last(world: World) -> None:
    await start(world)
    await write(world, "city", "Bergen", at=timedelta(seconds=5))
    await write(world, "city", "Kiel", at=timedelta(seconds=4))
    await drain(world)
    await world.follow()
    here, there = await attributes(world.engage), await attributes(world.platform)
    assert here["city"] == there["city"] == "Bergen"


async def test_two_readers_apply_a_page_once(world: World) -> None:
    await start(world)
    world.pass_time(seconds=5)
    await write(world, "city", "Bergen")
    moved = await asyncio.gather(
        *(
            sync.drain_page(world.engage, world.platform, world.munchkin, world.now)
            for _ in range(4)
        )
    )
    assert sum(moved) == 1


async def test_a_pair_is_unique_both_ways(world: World) -> None:
    dsn = world.stores.platform_dsn
    with pytest.raises(NotOurs):
        await provision_sandbox(dsn, world.sandbox, f"{world.munchkin}-x")
    with pytest.raises(NotOurs):
        await provision_sandbox(dsn, f"{world.sandbox}-x", world.munchkin)
    with pytest.raises(NotOurs):
        await engage_subscriptions.provision(
            world.stores.engage_dsn, world.munchkin, f"{world.sandbox}-x"
        )
    with pytest.raises(NotOurs):  # the same schema in another case
        await provision_sandbox(dsn, world.sandbox.upper(), f"{world.munchkin}-x")
    assert await provision_sandbox(dsn, world.sandbox, world.munchkin) == []


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    edits=st.lists(
        st.tuples(
            st.sampled_from(["engage", "platform", "up", "down"]),
            st.sampled_from(["city", "state"]),
            st.sampled_from(["Oslo", "Bergen", "Kiel"]),
        ),
        max_size=12,
    )
)
async def test_interleaved_edits_converge(world: World, edits: list[tuple[str, str, str]]) -> None:
    workspace = world.workspace(JOURNEY)
    if not await world.engage.fetchval("select count(*) from accounts"):
        await start(world)
    for side, field, value in edits:
        world.pass_time(seconds=1)
        match side:
            case "engage":
                await write(world, field, value)
            case "platform":
                await world.load(workspace, accounts=f"account_id,name,{field}\na,Acme,{value}\n")
            case "up":
                await drain(world)
            case _:
                await world.follow()
    for _ in range(2):
        await drain(world)
        await world.follow()
    here, there = await attributes(world.engage), await attributes(world.platform)
    assert here == there
