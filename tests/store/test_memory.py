"""Back-pressure instead of memory growth: what is imported and taken down is never held as a whole."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from caravan.campaigns import audience_flow
from tests.world import World

JOURNEY = """
journey: patient
audience: everyone
schedule: {end: 90 days}
start: rest
nodes:
  rest: {wait: 80 days}
"""
PEOPLE_OF_EACH = 4


def accounts(number: int) -> Iterator[str]:
    yield "account_id,name,city,industry\n"
    for one in range(number):
        yield f"a{one},Account number {one},Oslo,Energy\n"


def people(number: int) -> Iterator[str]:
    yield "person_id,email,first_name,job_title,account_id\n"
    for one in range(number):
        for person in range(PEOPLE_OF_EACH):
            yield f"p{one}-{person},p{person}@a{one}.example,Ann,Chief engineer,a{one}\n"


async def grown(world: World, verb: str, folder: Path) -> tuple[int, int]:
    """What a process of its own did: rows, and its peak in megabytes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.growing", verb),
        *(world.stores.platform_dsn, world.stores.engage_dsn, world.munchkin, str(folder)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    rows, peak = map(int, out.split())
    return rows, peak


async def load(world: World, number: int) -> tuple[int, int]:
    """Import so many accounts with their people, and take them down; the peak of each process."""
    folder = world.folder / f"grown-{number}"
    folder.mkdir()
    with (folder / "accounts.csv").open("w") as file:
        file.writelines(accounts(number))
    with (folder / "people.csv").open("w") as file:
        file.writelines(people(number))
    _, importing = await grown(world, "import", folder)
    followed, following = await grown(world, "follow", folder)
    assert followed > 0
    assert await world.engage.fetchval("select count(*) from accounts") == number
    assert await world.engage.fetchval("select count(*) from relations") == number * PEOPLE_OF_EACH
    print(f"{number} accounts: import {importing} MB, follow {following} MB")
    return importing, following


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the peak")


async def ready(world: World) -> None:
    """A live journey that wants everybody, before anybody is there."""
    journey_id = await world.publish(world.workspace(JOURNEY), "patient")
    await audience_flow.build_segment(world.engage, world.platform, journey_id, world.now)


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_memory_does_not_grow_with_rows(world: World) -> None:
    await ready(world)
    small = await load(world, 500)
    large = await load(world, 2_500)
    for before, after in zip(small, large, strict=True):
        assert after < before + 60
        assert after < 400


@pytest.mark.long
@pytest.mark.timeout(3 * 3600)
async def test_a_million_rows_keep_each_process_under_400_megabytes(world: World) -> None:
    await ready(world)
    assert max(await load(world, 200_000)) < 400  # with four people each: a million rows
