"""A relay that goes and comes back, seen from the whole: worker, workflow, activity retries, ledger."""

from collections.abc import AsyncIterator

import pytest
from temporalio.api.enums.v1 import PendingActivityState

from caravan.engage import sql
from tests.relay import DROP, Relay
from tests.running import Running
from tests.world import World

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 365 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], next: pause}
  pause: {wait: 3 days, next: again}
  again: {do: [{send_email: {template: hi}}], end: sent}
"""

DATA = {
    "accounts": "account_id,name\na,Acme\n",
    "people": "person_id,email,account_id\n"
    + "".join(f"p{n},p{n}@a.example,a\n" for n in range(3)),
}


@pytest.fixture
async def relay(world: World) -> AsyncIterator[Relay]:
    """What the workers of `running` send through; ask for it first."""
    new = Relay()
    await new.start()
    world.transport = new.transport()  # type: ignore[assignment]
    yield new
    await new.stop()


async def test_outage_delays_the_account_and_nobody_gets_a_mail_twice(
    relay: Relay, running: Running
) -> None:
    world = running.world
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, **DATA)
    journey = await world.publish(workspace, "post")
    await world.enter(journey)
    relay.when("MAIL", "250 ok")
    relay.when("MAIL", "421 4.3.0 p0@a.example: shutting down")
    relay.when("CONNECT", DROP, times=2)
    relay.when("DOT", DROP, about="p1@a.example")
    [handle] = await running.start(journey)
    await relay.until(lambda: len(relay.mails) >= 1 and relay.connections >= 2)
    await relay.stop()

    waiting = (await handle.describe()).raw_description.pending_activities
    assert [one.activity_type.name for one in waiting] == ["email.send"]
    assert waiting[0].state in (
        PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
        PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
    )
    assert "SMTP_URL" in waiting[0].last_failure.message
    assert "a.example" not in waiting[0].last_failure.message

    await relay.start()
    ended = await handle.result()
    assert ended.label == "sent"
    assert len(relay.mails) == len(set(relay.mails)) == 6
    states = await sql.fetch(world.engage, "message_counts", slug="post")
    assert {row["state"]: row["messages"] for row in states} == {"accepted": 5, "in_doubt": 1}
    steps = await world.engage.fetch("select node from steps where kind = 'send' order by step_no")
    assert [row["node"] for row in steps] == ["mail", "again"]
