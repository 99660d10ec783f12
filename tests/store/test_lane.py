"""A lane's transactions are links of a chain, each of which stands or falls by itself."""

from collections.abc import AsyncIterator

import pytest

from caravan.simulation.lane import Lane
from tests.world import World


@pytest.fixture
async def lane(world: World) -> AsyncIterator[Lane]:
    async with world.engage.acquire() as conn:
        await conn.execute("create temporary table said (word text)")
        yield Lane(conn)
        await conn.execute("drop table said")


async def said(lane: Lane) -> list[str]:
    return [row["word"] for row in await lane.fetch("select word from said order by word")]


async def say(lane: Lane, word: str) -> None:
    await lane.execute("insert into said values ($1)", word)


async def say_in_vain(lane: Lane, word: str) -> None:
    async with lane.transaction():
        await say(lane, word)
        raise ZeroDivisionError


async def test_what_fails_takes_back_its_own_link_alone(lane: Lane) -> None:
    async with lane.chained():
        async with lane.acquire() as conn, conn.transaction():
            await say(conn, "first")
        with pytest.raises(ZeroDivisionError):
            await say_in_vain(lane, "second")
        async with lane.transaction():
            await say(lane, "third")
    assert await said(lane) == ["first", "third"]


async def test_each_link_is_a_transaction_of_its_own(lane: Lane) -> None:
    seen = set()
    async with lane.chained():
        for word in ("first", "second"):
            async with lane.transaction():
                await say(lane, word)
                seen.add(await lane.fetchval("select pg_current_xact_id()::text"))
    assert len(seen) == 2


async def test_what_is_written_is_there_for_others_as_soon_as_its_link_ends(
    world: World, lane: Lane
) -> None:
    async with lane.chained():
        async with lane.transaction():
            await lane.execute("notify nobody")
            mine = await lane.fetchval("select pg_current_xact_id()::text")
        committed = await world.engage.fetchval("select pg_xact_status($1::text::xid8)", mine)
    assert committed == "committed"


async def test_a_transaction_within_a_link_is_a_savepoint(lane: Lane) -> None:
    async with lane.chained(), lane.transaction():
        await say(lane, "first")
        with pytest.raises(ZeroDivisionError):
            await say_in_vain(lane, "second")
        await say(lane, "third")
    assert await said(lane) == ["first", "third"]


async def test_a_lane_outside_of_a_chain_is_a_connection(lane: Lane) -> None:
    with pytest.raises(ZeroDivisionError):
        await say_in_vain(lane, "first")
    async with lane.transaction():
        await say(lane, "second")
    assert await said(lane) == ["second"]
