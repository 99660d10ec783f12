"""What outages, restores and long names must not do to an account on its way."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle

from tests.running import Running

REST = """
journey: rest
audience: everyone
schedule: {end: 365 days}
start: one
nodes:
  one: {wait: 10 days, next: two}
  two: {wait: 10 days, end: over}
"""

MAILED = """
journey: rest
audience: everyone
schedule: {end: 365 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], next: one}
  one: {wait: 1 day, end: over}
"""

STUMBLE = """
create function stumble() returns trigger language plpgsql as $$ begin
  if clock_timestamp() < '{until}' then raise exception 'the store is away'; end if;
  return new;
end $$;
create trigger stumble before insert on steps for each row execute function stumble();
"""


async def enter(running: Running, journey: str, *mails: str) -> int:
    world = running.world
    workspace = world.workspace(journey, mails)
    await world.load(workspace, accounts="account_id,name\na,Acme\n")
    journey_id = await world.publish(workspace, "rest")
    await world.enter(journey_id)
    return journey_id


async def begin(running: Running, journey: str, *mails: str) -> WorkflowHandle[Any, Any]:
    [handle] = await running.start(await enter(running, journey, *mails))
    return handle


async def stands_at(running: Running, node: str) -> None:
    for _ in range(300):
        row = await running.world.engage.fetchval("select state -> 'pending' from traversals")
        place = await running.world.engage.fetchval("select state ->> 'position' from traversals")
        if row is not None and place == node:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"the account does not rest at {node}")


async def test_domain_time_goes_on_while_a_store_is_away(running: Running) -> None:
    with running.temporal.with_time_skipping_disabled():
        journey_id = await enter(running, REST)
        back = datetime.now(UTC) + timedelta(seconds=9)
        await running.world.engage.execute(STUMBLE.format(until=back.isoformat()))
        [handle] = await running.start(journey_id)
        await stands_at(running, "one")
        at = await running.world.engage.fetchval("select outcome ->> 'at' from steps")
    # nine seconds behind if it stood still; a try may take a while on a loaded machine
    assert datetime.fromisoformat(at) >= back - timedelta(seconds=4)
    # however long it lasts: the server retries without a line in the history
    assert len((await handle.fetch_history()).events) < 20
    await running.record("outage", handle)


async def test_workflow_that_has_parted_from_a_restored_row_ends_for_the_reconciler(
    running: Running,
) -> None:
    with running.temporal.with_time_skipping_disabled():
        handle = await begin(running, MAILED, "hi")
        await stands_at(running, "one")
    # a backup of before the first step is restored
    await running.world.engage.execute(
        """delete from steps; update traversals set state = '{"step_no": 1}'"""
    )
    await running.temporal.fast_forward(handle)
    with pytest.raises(WorkflowFailureError):
        await asyncio.wait_for(handle.result(), 20)
    assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED
    assert len((await handle.fetch_history()).events) < 60
