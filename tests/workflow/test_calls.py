"""An account at a call, as a workflow on the real server: it rests until answered, or until time is up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.event_dispatch import EventDispatchActivities
from activities.roles import build_workers, sandbox
from activities.services import ReachedAt
from caravan.gateway.app import build_app
from caravan.services.callback import CALLBACK_PATH
from caravan.services.client import ServiceClient
from caravan.services.hosts import AllowedHosts
from caravan.services.http import ServiceHttp
from tests.contract import example
from tests.running import Running
from tests.service import Listening, OutsideService, call_back
from tests.world import World

JOURNEY = """
service: scoring
url: {url}
attributes: {{apiKey: k}}
fields: {{out: {{email: person.email}}, in: {{seniority: person.seniority}}}}
---
journey: trip
audience: everyone
schedule: {{end: 30 days}}
start: hello
nodes:
  hello: {{do: [{{account_interesting_moment: {{type: web, text: hello}}}}], next: ask}}
  ask:
    call: scoring
    of: people
    with: {{scoringModel: predictive}}
    paths:
      - {{label: Hot, when: {{leadScore: {{at_least: 80}}}}, do: [{{send_email: {{template: hi}}}}]}}
    timeout: 45 minutes
    failed: lost
    next: pause
  pause: {{wait: 1 day, end: over}}
  lost: {{wait: 1 day, end: lost}}
"""


@dataclass
class Calling:
    """A running world with a service and a gateway."""

    running: Running
    service: OutsideService

    async def start(self, **options: Any) -> WorkflowHandle[Any, Any]:
        world = self.running.world
        workspace = world.workspace(JOURNEY.format(url=self.service.url), ("hi",))
        await world.load(
            workspace,
            accounts="account_id,name\nacme,Acme Industries\n",
            people="person_id,email,account_id\nann@acme.example,ann@acme.example,acme\n",
        )
        journey = await world.publish(workspace, "trip")
        await world.enter(journey)
        [handle] = await self.running.start(journey, **options)
        return handle

    async def answer(self, **said: Any) -> None:
        [asked] = self.service.requests
        lead = {"id": int(asked["objectData"]["objectContext"]["leadId"]), **said}
        body = {"objectData": [{"activityData": {"success": True}, "leadData": lead}]}
        assert (await call_back(asked["callbackUrl"], asked["token"], body)).status_code == 200
        world = self.running.world
        dispatch = EventDispatchActivities(world.stores, self.running.client)
        await ActivityEnvironment().run(dispatch.page, world.engage)

    async def until_it_waits(self) -> None:
        async with asyncio.timeout(30):
            while not await self.running.world.engage.fetchval(
                "select count(*) from traversals where state -> 'pending' is not null"
                " and state ->> 'position' = 'ask'"
            ):
                await asyncio.sleep(0.05)

    async def edges(self) -> list[tuple[str, str, str | None]]:
        rows = await self.running.world.engage.fetch(
            "select kind, node, outcome ->> 'edge' as edge from steps order by step_no"
        )
        return [(row["kind"], row["node"], row["edge"]) for row in rows]


@pytest.fixture
async def caller(world: World, temporal: WorkflowEnvironment) -> AsyncIterator[Calling]:
    service, gateway = OutsideService(example("lead-scoring")), Listening(build_app(world.stores))
    await service.start()
    await gateway.start()
    client = ServiceClient(ServiceHttp(AllowedHosts.parse(f"127.0.0.1:{service.port}")), {})
    workers = build_workers(
        temporal.client,
        world.stores,
        world.mailing,
        ("journeys", "email", "calls"),
        exchange=client,
        reached=ReachedAt(f"{gateway.url}{CALLBACK_PATH}", "s" * 40),
        graceful=timedelta(seconds=1),
        runner=sandbox(),
    )
    async with AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        yield Calling(Running(world, temporal), service)
    assert service.faults == []
    await client.close()
    await gateway.stop()
    await service.stop()


@pytest.mark.parametrize(
    ("name", "options"), [("call", {}), ("call-each-step", {"each_step": True})]
)
async def test_an_account_goes_on_when_the_service_answers(
    caller: Calling, name: str, options: dict[str, Any]
) -> None:
    with caller.running.temporal.with_time_skipping_disabled():
        handle = await caller.start(**options)
        await caller.until_it_waits()
        await caller.answer(seniority="senior", accessorValues={"leadScore": 90})
    await caller.running.temporal.fast_forward(handle)
    ended = await handle.result()
    await caller.running.record(name, handle)
    assert (ended.reason, ended.label) == ("completed", "over")
    assert await caller.edges() == [
        ("store", "hello", "next"), ("call", "ask", None), ("call", "ask", None),
        ("send", "ask", "next"), ("wait", "pause", None), ("wait", "pause", "next"),
    ]  # fmt: skip
    assert [address for _, address in caller.running.world.mailed()] == ["ann@acme.example"]


async def test_an_account_goes_on_when_the_time_is_up(caller: Calling) -> None:
    handle = await caller.start()
    ended = await handle.result()
    await caller.running.record("call-timeout", handle)
    assert (ended.reason, ended.label) == ("completed", "lost")
    row = await caller.running.world.engage.fetchrow(
        "select a.outcome ->> 'until' as until, b.outcome ->> 'at' as at, b.outcome ->> 'edge' as edge"
        " from steps a join steps b on b.step_no = a.step_no + 1 where a.kind = 'call' and b.kind = 'call'"
    )
    assert row["edge"] == "timeout"
    late = datetime.fromisoformat(row["at"]) - datetime.fromisoformat(row["until"])
    assert timedelta(0) <= late < timedelta(seconds=5)


async def test_nothing_personal_of_a_call_enters_temporal(caller: Calling) -> None:
    with caller.running.temporal.with_time_skipping_disabled():
        handle = await caller.start(account_names=False)
        await caller.until_it_waits()
        await caller.answer(seniority="senior", accessorValues={"leadScore": 90})
    await caller.running.temporal.fast_forward(handle)
    await handle.result()
    history = await handle.fetch_history()
    told = b"".join(event.SerializeToString() for event in history.events).lower()
    assert b"services.call" in told
    for secret in ("ann@acme", "acme industries", "leadscore", "senior", str(caller.service.port)):
        assert secret.encode() not in told
