"""The streams after a restore: numbers of transactions that begin anew, cursors that stand ahead, records that are gone."""

import json
from datetime import timedelta
from typing import Any

import pytest

from caravan.database import outbox
from caravan.database.errors import StoreRestored
from caravan.engage import sql
from caravan.platform import convergence, down_flow, sync
from caravan.platform.merge import stream_of
from caravan.platform.repair import repair
from caravan.platform.restored import begin_anew
from tests.store.test_sync import attributes, drain, start, write
from tests.world import World

#: a number of a transaction that this cluster will not reach
FAR = "900000000000"


async def count_transactions_anew(world: World) -> None:
    """As if the engage store's rows, and what the Platform has read of them, were of another cluster."""
    await world.engage.execute("update changes set xid = $1::text::xid8", FAR)
    await world.platform.execute(
        "update cursors set xid = $1::text::xid8 where stream = $2", FAR, stream_of(world.munchkin)
    )


async def compared(world: World) -> convergence.Convergence:
    return await convergence.compare(world.engage, world.platform, world.munchkin, again=0)


async def test_stream_refuses_to_pass_by_what_a_restored_store_writes(world: World) -> None:
    await start(world)
    await write(world, "city", "Bergen")
    await drain(world)
    await count_transactions_anew(world)
    world.pass_time(seconds=1)
    await write(world, "city", "Kiel")
    with pytest.raises(StoreRestored, match="caravan sync restored"):
        await drain(world)
    await begin_anew(world.engage, world.platform, world.munchkin)
    await drain(world)
    assert (await attributes(world.platform))["city"] == "Kiel"
    world.pass_time(seconds=1)
    await write(world, "city", "Turku")
    assert await drain(world) == 1
    assert (await attributes(world.platform))["city"] == "Turku"


async def test_what_waited_in_the_backup_is_read_although_its_numbers_are_ahead(
    world: World,
) -> None:
    await start(world)
    world.pass_time(seconds=1)
    await write(world, "city", "Bergen")
    await world.engage.execute("update changes set xid = $1::text::xid8", FAR)
    await begin_anew(world.engage, world.platform, world.munchkin)
    await write(world, "state", "Vestland")
    assert await drain(world) == 2
    there = await attributes(world.platform)
    assert (there["city"], there["state"]) == ("Bergen", "Vestland")


async def test_what_follows_the_platform_notices_too(world: World) -> None:
    await start(world)
    await world.follow()
    await world.engage.execute(
        "update cursors set xid = $1::text::xid8 where stream = $2", FAR, down_flow.STREAM
    )
    with pytest.raises(StoreRestored):
        await world.follow()
    await begin_anew(world.engage, world.platform, world.munchkin)
    workspace = world.workspace("")
    world.pass_time(seconds=1)
    await world.load(workspace, accounts="account_id,name,city\na,Acme,Kiel\n")
    await world.follow()
    assert (await attributes(world.engage))["city"] == "Kiel"


async def test_beginning_anew_changes_nothing_that_was_right_and_may_be_given_again(
    world: World,
) -> None:
    await start(world)
    world.pass_time(seconds=1)
    await write(world, "city", "Bergen")
    await drain(world)
    await world.follow()
    before = [await attributes(pool) for pool in (world.engage, world.platform)]
    happened = "select count(*) from activities"
    heard = await world.engage.fetchval(happened)
    first = await begin_anew(world.engage, world.platform, world.munchkin)
    second = await begin_anew(world.engage, world.platform, world.munchkin)
    assert (second.engage, second.platform) == (first.engage + 1, first.platform + 1)
    await drain(world)
    await world.follow()
    assert [await attributes(pool) for pool in (world.engage, world.platform)] == before
    assert await world.engage.fetchval(happened) == heard
    assert (await compared(world)).differences == []


async def test_platform_of_before_gets_back_what_it_lost(world: World) -> None:
    """Its backup knew neither the account nor what was said of the person since."""
    await start(world)
    workspace = world.workspace("")
    await world.load(
        workspace,
        accounts="account_id,name\nb,Beta\n",
        people="person_id,email,account_id\nq,q@b.example,b\n",
        opportunities="opportunity_id,account_id,name\no,b,Deal\n",
    )
    await world.follow()
    world.pass_time(seconds=1)
    await write(world, "city", "Bergen")
    lost = await _lose(world)
    begun = await begin_anew(world.engage, world.platform, world.munchkin)
    assert begun.numbers_from >= lost
    # what is made before anybody looks has no number of theirs
    await world.load(workspace, accounts="account_id,name\nc,Gamma\n")
    assert await world.platform.fetchval("select max(id) from accounts") > lost
    await drain(world)
    await world.follow()
    found = await compared(world)
    assert {(one.entity, one.field) for one in found.differences} == {
        (entity, convergence.RECORD) for entity in ("account", "person", "relation", "opportunity")
    }
    done = await repair(world.engage, world.platform, found.differences, world.now)
    assert done.returned == 4
    await drain(world)
    await world.follow()
    assert (await compared(world)).differences == []
    city = "select attributes ->> 'city' from accounts where external_id = 'a'"
    assert await world.platform.fetchval(city) == "Bergen"


async def _lose(world: World) -> int:
    """Set the sandbox back to before account b; returns the highest number it has forgotten."""
    highest = await world.platform.fetchval("select last_value from record_ids")
    for table in ("opportunities", "relations"):
        await world.platform.execute(
            f"delete from {table} where account_id in (select id from accounts where external_id = 'b')"
        )
    await world.platform.execute("delete from people where external_id = 'q'")
    await world.platform.execute("delete from accounts where external_id = 'b'")
    await world.platform.execute("select setval('record_ids', (select max(id) from relations))")
    return int(highest)


async def test_horizon_says_what_it_waits_for(world: World) -> None:
    await start(world)
    async with world.platform.acquire() as long, long.transaction():
        # anywhere in the cluster: this one is in the other database, and has written something
        await long.execute("update accounts set attributes = attributes")
        pid = await long.fetchval("select pg_backend_pid()")
        await write(world, "city", "Bergen")
        assert await drain(world) == 0
        lag = await sync.lag(world.engage, world.platform, world.munchkin)
        assert (lag.rows, lag.held_back) == (1, 1)
        assert lag.holding is not None
        assert lag.holding.pid == pid
        assert lag.because(world.now) is None  # as long as it may be one of ours
        assert f"pid {pid}" in str(lag.because(world.now + timedelta(minutes=1)))
    assert await drain(world) == 1
    lag = await sync.lag(world.engage, world.platform, world.munchkin)
    assert (lag.rows, lag.held_back) == (0, 0)


async def test_current_epoch_is_the_one_that_rows_are_written_in(world: World) -> None:
    await start(world)
    begun = await begin_anew(world.engage, world.platform, world.munchkin)
    await write(world, "city", "Bergen")
    async with world.engage.acquire() as conn:
        [change] = await outbox.read_page(conn, outbox.Cursor(), 10)
    assert change.at.epoch == begun.engage


def _said(found: convergence.Convergence) -> list[tuple[str, Any, Any, bool]]:
    return [(one.field, one.engage, one.platform, one.engage_is_later) for one in found.differences]


async def test_difference_is_listed_and_mended_by_whose_word_counts(world: World) -> None:
    await start(world)
    await world.follow()
    await world.engage.execute(
        'update accounts set attributes = attributes || \'{"city": "Kiel"}\''
    )
    await world.platform.execute(
        'update accounts set attributes = attributes || \'{"state": "SH"}\', stamps = stamps || \'{"state": "2020"}\''
    )
    later = '{"country": "2099-01-01T00:00:00.000000Z"}'
    await world.engage.execute(
        'update accounts set attributes = attributes || \'{"country": "DE"}\', stamps = stamps || $1',
        json.loads(later),
    )
    found = await compared(world)
    assert _said(found) == [
        ("city", "Kiel", "Oslo", False),
        ("country", "DE", None, True),
        ("state", None, "SH", False),
    ]
    await repair(world.engage, world.platform, found.differences, world.now)
    assert (await compared(world)).under_way == 1
    await drain(world)
    await world.follow()
    assert (await compared(world)).differences == []
    for pool in (world.engage, world.platform):
        assert await attributes(pool) == {
            "name": "Acme", "city": "Oslo", "state": "SH", "country": "DE",
        }  # fmt: skip


async def test_what_is_under_way_is_no_difference(world: World) -> None:
    await start(world)
    await world.follow()
    await write(world, "city", "Bergen")
    found = await compared(world)
    assert (found.differences, found.under_way) == ([], 1)
    await drain(world)
    world.pass_time(seconds=1)
    await world.load(world.workspace(""), accounts="account_id,name,city\na,Acme,Turku\n")
    found = await compared(world)
    assert (found.differences, found.under_way) == ([], 1)


async def test_relation_that_never_came_down_is_found(world: World) -> None:
    await start(world)
    await world.follow()
    await world.engage.execute("delete from relations")
    found = await compared(world)
    assert [(one.entity, one.field) for one in found.differences] == [
        ("relation", convergence.RECORD)
    ]
    await repair(world.engage, world.platform, found.differences, world.now)
    await world.follow()
    assert (await compared(world)).differences == []


async def test_platform_that_holds_something_of_buying_groups_is_told_of(world: World) -> None:
    await start(world)
    assert (await compared(world)).of_groups == []
    await world.platform.execute("create table buying_group_members (id bigint)")
    await world.platform.execute(
        "insert into activities (type, at, account_id) values ('buying_group_stage_changed', now(), 1)"
    )
    assert (await compared(world)).of_groups == [
        "the table buying_group_members",
        "1 events buying_group_stage_changed",
    ]


async def test_flag_of_deletion_goes_up_and_is_judged_like_a_field(world: World) -> None:
    await start(world)
    ids = [await world.engage.fetchval("select id from people")]
    gone = "select deleted_at is not null from people"
    for here, at in ((True, 1), (False, 2), (True, 3)):
        world.pass_time(seconds=at)
        await sql.execute(
            world.engage, "flag_people", entity="person", ids=ids,
            deleted_at=world.now if here else None, at=world.now,
        )  # fmt: skip
        await drain(world)
        assert await world.platform.fetchval(gone) is here
        await world.follow()
        assert await world.engage.fetchval(gone) is here
