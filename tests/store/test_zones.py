"""``zone: account``: each account by its own clock, and told where it has none."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.world import HEAD, World

ZONED = HEAD.replace(
    "fields: {{account: {{", "zone: Asia/Kolkata\nfields: {{account: {{time_zone: string, "
)
JOURNEY = """
journey: clock
audience: everyone
zone: account
schedule: {end: 30 days}
start: fork
nodes:
  fork:
    split: accounts
    paths: [{when: {account: {contract_end: {in_future: 1 day}}}, next: rest}]
  rest: {wait: {ends_on: {at: "09:00"}}, next: hear}
  hear: {listen: [{form_filled: {}}], timeout: {ends_on: {at: "10:00"}, end: silent}}
"""


async def walk(world: World, own: str) -> list[dict[str, Any]]:
    """The steps of an account that enters at 20:00 UTC on 1 June."""
    world.now = datetime(2026, 6, 1, 20, tzinfo=UTC)
    world.write("ws.yaml", "")
    workspace = world.workspace(JOURNEY)
    await world.load(
        workspace, accounts=f"account_id,name,time_zone,contract_end\na,Acme,{own},2026-06-03\n"
    )
    [traversal] = await world.enter(await world.publish(workspace, "clock"))
    await world.walk(traversal)
    world.pass_time(days=1)
    await world.walk(traversal)
    rows = await world.engage.fetch("select node, outcome, because from steps order by step_no")
    return [dict(row) for row in rows]


@pytest.fixture(autouse=True)
def zoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.world.HEAD", ZONED)


@pytest.mark.parametrize(
    ("own", "zone", "fault"),
    [
        ("Pacific/Auckland", "Pacific/Auckland", None),
        ("Mars/Olympus", "Asia/Kolkata", "unknown-zone"),
        ("", "Asia/Kolkata", "no-zone"),
    ],
)
async def test_rest_is_by_the_accounts_clock(
    world: World, own: str, zone: str, fault: str | None
) -> None:
    steps = await walk(world, own)
    # 3 June is tomorrow where it is the 2nd already
    assert steps[0]["outcome"]["edge"] == "1"
    for step, clock in ((steps[1], 9), (steps[3], 10)):
        until = datetime.fromisoformat(step["outcome"]["until"]).astimezone(ZoneInfo(zone))
        assert (until.hour, until.minute) == (clock, 0)
        assert step["because"].get("fault") == fault


async def test_days_of_a_condition_are_those_of_the_accounts_clock(world: World) -> None:
    steps = await walk(world, "America/Los_Angeles")
    # there it is still the 1st, and the 3rd is the day after tomorrow
    assert [(step["node"], step["outcome"]["edge"]) for step in steps] == [("fork", "otherwise")]
