"""What is nested deeply: refused at the door, and where it is in a store already, no stream stands still for it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from caravan.campaigns import recording
from caravan.engage.happening import Happening
from caravan.platform.event_lines import MOST_LEVELS, EventRow, event_of
from caravan.platform.source_files import BadRow
from tests.world import World

AT = datetime(2026, 3, 1, tzinfo=UTC)


def nested(levels: int) -> Any:
    """So many lists within each other."""
    made: Any = 1
    for _ in range(levels):
        made = [made]
    return made


def event(levels: int) -> dict[str, Any]:
    """An event of so many levels: it is one itself."""
    said = {"type": "order", "at": AT.isoformat(), "account_id": "a"}
    return {**said, "lines": nested(levels - 1)}


@pytest.mark.parametrize("levels", [MOST_LEVELS + 1, 252, 300, 960, 5000])
def test_event_of_too_many_levels_is_refused(levels: int) -> None:
    refused = event_of(event(levels), 1, "events.jsonl")
    assert isinstance(refused, BadRow)
    assert "50 levels" in refused.reason


def test_event_of_as_many_levels_as_there_may_be_is_taken() -> None:
    assert isinstance(event_of(event(MOST_LEVELS), 1, "events.jsonl"), EventRow)


@pytest.mark.parametrize("levels", [249, 300, 900])
async def test_what_is_stored_already_is_read_and_written(world: World, levels: int) -> None:
    workspace = world.workspace(
        "audience: all\nof: accounts\nwhen: {account: {name: {empty: false}}}\n---\n"
        "journey: j\naudience: all\nschedule: {end: 9 days}\nstart: rest\nnodes: {rest: {wait: 8 days}}\n"
    )
    await world.load(workspace, accounts="account_id,name\na,Acme\n")
    await world.store(workspace)
    await world.enter(await world.publish(workspace, "j"))
    account_id = await world.engage.fetchval("select id from accounts")
    order = Happening("order", world.now, account_id, fields={"lines": nested(levels)})
    async with world.engage.acquire() as conn, conn.transaction():
        assert await recording.record(conn, world.plans, [order], world.now) == 1
    kept = await world.engage.fetchval("select fields from activities where type = 'order'")
    assert kept == {"lines": nested(levels)}
