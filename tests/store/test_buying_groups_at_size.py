"""A job at the size an issue states: it makes and fills its groups in a minute."""

import time

import pytest

from tests.grouping import Documents, Grouping
from tests.world import World

#: accounts and people: those of the issue, and what shows the same in seconds
STATED, REDUCED = (20_000, 100_000), (1_000, 5_000)

FILL = (
    "insert into accounts (id, external_id, attributes)"
    " select n, 'a' || n, jsonb_build_object('name', 'Account ' || n) from generate_series(1, $1) n",
    "insert into people (id, external_id, attributes)"
    " select 1000000 + n, 'p' || n, jsonb_build_object('email', 'p' || n || '@x.example', 'job_title',"
    "   (array['Chief of X', 'VP Sales', 'Engineer', 'Engineer', 'Clerk'])[1 + n % 5])"
    " from generate_series(1, $1) n",
    "insert into relations (id, account_id, person_id)"
    " select 2000000 + n, 1 + (n - 1) % {accounts}, 1000000 + n from generate_series(1, $1) n",
)
STAMP = "update {table} set stamps = stamps_of(attributes, stamp('2026-01-01'))"


async def fill(world: World, accounts: int, people: int) -> None:
    """In the Platform alone: the job is what brings them in."""
    workspace = world.workspace("", ())
    await world.store(workspace)
    for statement, rows in zip(FILL, (accounts, people, people), strict=True):
        await world.platform.execute(statement.format(accounts=accounts), rows)
    for table in ("accounts", "people", "relations"):
        await world.platform.execute(STAMP.format(table=table))
        await world.platform.execute(f"analyze {table}")


@pytest.mark.parametrize(
    ("accounts", "people"), [REDUCED, pytest.param(*STATED, marks=pytest.mark.long)]
)
async def test_a_job_is_through_in_a_minute(
    world: World, accounts: int, people: int, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(world, accounts, people)
    grouping = Grouping(world)
    await grouping.store(Documents())
    began = time.monotonic()
    await grouping.keep()
    first = time.monotonic() - began
    began = time.monotonic()
    await grouping.upkeep()
    again = time.monotonic() - began
    with capsys.disabled():
        print(f"\n{accounts} accounts × {people} people: {first:.1f} s, again {again:.1f} s")
    assert await world.engage.fetchval("select count(*) from buying_groups") == accounts
    members = await world.engage.fetchval("select count(*) from buying_group_members")
    assert members == people * 4 // 5  # all but the clerks
    assert first < 60
    assert again < 60
