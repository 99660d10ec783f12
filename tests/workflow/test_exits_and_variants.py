"""Exits, variants and limits of visits as workflows on the real server, in virtual time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.running import Running
from workflows.contracts import Wake

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 365 days}
exits:
  - {label: renewal, when: {account: {contract_end: {in_future: 5 days}}}, do: [{send_email: {template: hi}}], next: last}
  - {label: lost, when: {account: {source_type: lost}}}
start: fork
nodes:
  fork:
    variants: accounts
    method: quota
    paths: [{label: A, share: 50, next: offer}, {label: B, share: 50, next: offer}]
  offer:
    variants: people
    method: quota
    paths: [{share: 50, do: [{send_email: {template: hi}}]}, {share: 50}]
    next: pause
    max_visits: {count: 3, next: rest}
  pause: {wait: 1 day, next: offer}
  rest: {listen: [{form_filled: {}}], end: heard}
  last: {wait: 12 hours, end: renewed}
"""


async def start(running: Running, **options: Any) -> Any:
    world = running.world
    workspace = world.workspace(JOURNEY, ("hi",))
    day = (world.now + timedelta(days=20)).date()
    await world.load(
        workspace,
        accounts=f"account_id,name,contract_end\na,Acme,{day}\nb,Bcme,\n",
        people="person_id,email,account_id\n"
        + "".join(f"p{n},p{n}@x.example,{'ab'[n % 2]}\n" for n in range(4)),
    )
    await world.enter(await world.publish(workspace, "trip"))
    return day, await running.start(1, **options)


async def rows(running: Running, account: str) -> list[tuple[str, str | None]]:
    found = await running.world.engage.fetch(
        "select s.node, s.outcome ->> 'edge' as edge from steps s join traversals t on t.id = s.traversal_id"
        " join accounts a on a.id = t.account_id where a.external_id = $1"
        " and s.outcome ->> 'edge' is not null order by s.step_no",
        account,
    )
    return [(row["node"], row["edge"]) for row in found]


ROUND = [("offer", "next"), ("pause", "next")]


@pytest.mark.parametrize("options", [{}, {"each_step": True}, {"continue_after": 2}])
async def test_account_goes_round_rests_and_leaves_when_time_alone_has_an_exit_met(
    running: Running, options: dict[str, Any]
) -> None:
    day, handles = await start(running, **options)
    accounts = {
        row["workflow_id"]: row["external_id"]
        for row in await running.world.engage.fetch(
            "select t.workflow_id, a.external_id from traversals t join accounts a on a.id = t.account_id"
        )
    }
    by_account = {accounts[handle.id]: handle for handle in handles}
    ended = await by_account["a"].result()
    assert (ended.reason, ended.label) == ("completed", "renewed")
    [(_, path), *way] = await rows(running, "a")
    assert path in ("1", "2")
    assert way == [*ROUND * 3, ("rest", "exit:renewal"), ("exit:renewal", "next"), ("last", "next")]
    left = await running.world.engage.fetchval(
        "select arrived_at from steps where node = 'exit:renewal' limit 1"
    )
    # five days before the day begins, to the second
    due = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=5)
    assert left >= due
    # (the server's virtual clock leaps where a run continues as new)
    assert left - due < timedelta(seconds=5) or "continue_after" in options

    # nothing is to be met by time for the other: it listens until the journey ends
    assert (await by_account["b"].result()).reason == "end-date"
    [_, *way] = await rows(running, "b")
    assert way == ROUND * 3


LISTENING = """
journey: trip
audience: everyone
schedule: {end: 365 days}
exits: [{label: lost, when: {account: {source_type: lost}}}]
start: rest
nodes:
  rest: {listen: [{form_filled: {}}], end: heard}
"""


async def test_account_that_listens_leaves_when_its_data_has_an_exit_met(
    running: Running,
) -> None:
    world = running.world
    workspace = world.workspace(LISTENING)
    await world.load(workspace, accounts="account_id,name\na,Acme\n")
    await world.enter(await world.publish(workspace, "trip"))
    with running.temporal.with_time_skipping_disabled():
        [handle] = await running.start(1)
    while await world.engage.fetchval("select count(*) from exit_watches") == 0:
        await asyncio.sleep(0.05)
    world.now = datetime.now(UTC)
    await world.load(workspace, accounts="account_id,name,source_type\na,Acme,lost\n")
    await world.follow()
    assert await world.engage.fetchval("select reason from wakeups") == "exit"
    await handle.signal("wake", Wake(reason="exit"))
    ended = await handle.result()
    assert (ended.reason, ended.label, ended.node) == ("exit", "lost", "rest")
