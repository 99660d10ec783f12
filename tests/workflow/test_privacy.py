"""Nothing of a person or an account enters Temporal, but the account's name where that is wanted.

Whole histories are scanned as the server keeps them, bytes and all: inputs, results, summaries, search
attributes, memo, failures with their messages and stack traces, of every type of workflow.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities import draining
from activities.journey_starts import StartOptions
from activities.roles import build_workers, sandbox
from activities.stream_starts import STREAM_IDS, ensure_admission, ensure_streams
from caravan.campaigns.mailing import Mailing
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.transport import Outgoing, Session
from caravan.engage import sql
from tests.running import Running
from tests.world import World

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 365 days}
start: hello
nodes:
  hello:
    label: Hello
    do:
      - send_email: {template: hi}
      - update_account: {field: source_type, value: "{{ account.city }}"}
      - person_interesting_moment: {type: web, text: "{{ person.first_name }} was mailed"}
    next: fork
  fork:
    split: accounts
    paths:
      - {label: Big, when: {person: {job_title: {starts_with: Chief}}}, next: ears}
    otherwise: ears
  ears:
    listen: [{form_filled: {form: meeting, who: {person: {country: SE}}, end: met}}]
    timeout: {after: 10 days, end: quiet}
"""

NAME = "Janes acme@name.example Industries"
DATA = {
    "accounts": "account_id,name,city,domain\n"
    f"jane@acme.example,{NAME},Jaenestad,acme-domain.example\n",
    "people": "person_id,email,first_name,job_title,country,account_id\n"
    "jane@acme.example,jane@mail.example,Janette,Chief Surprise,SE,jane@acme.example\n"
    "bo+x@acme.example,bo@mail.example,Boromir,Sweeper,NO,jane@acme.example\n",
}
SECRETS = (
    "%40", "acme.example", "mail.example", "acme-domain", "janes", "jaenestad", "janette", "boromir",
    "surprise", "sweeper", "industries",
)  # fmt: skip


EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[a-z]+")


class Moody(CaptureTransport):
    """A relay that fails once, with the recipient's address in its words."""

    def __init__(self, trouble: type[Exception]) -> None:
        super().__init__()
        self.troubles = [trouble]

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        async with super().session() as session:
            yield _MoodySession(self, session)


class _MoodySession:
    def __init__(self, relay: Moody, session: Session) -> None:
        self._relay, self._session = relay, session

    async def send(self, message: Outgoing, before_content: Any) -> Any:
        if self._relay.troubles:
            raise self._relay.troubles.pop()(f"421 <{message.recipient}> try later")
        return await self._session.send(message, before_content)


@pytest.fixture(params=[True, False], ids=["names", "no-names"])
async def names(
    request: pytest.FixtureRequest,
    world: World,
    temporal: WorkflowEnvironment,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[bool]:
    """All roles run on the world's stores; says whether account names are shown."""
    monkeypatch.setattr(draining, "BUDGET", 0.5)
    async with AsyncExitStack() as stack:
        for worker in build_workers(
            temporal.client,
            world.stores,
            # one that is foreseen, one that is not
            Mailing(Moody(RelayUnreachable if request.param else ValueError)),
            ("journeys", "email", "streams"),
            starts=StartOptions(account_names=request.param, each_step=True),
            graceful=timedelta(seconds=1),
            runner=sandbox(),
        ):
            await stack.enter_async_context(worker)
        yield request.param


async def test_histories_hold_nothing_personal(
    names: bool, world: World, temporal: WorkflowEnvironment
) -> None:
    client = temporal.client
    with temporal.with_time_skipping_disabled():
        workspace = world.workspace(JOURNEY, ("hi",))
        await world.load(workspace, **DATA)
        journey = await world.publish(workspace, "trip")
        await _fail_once(world)
        await ensure_streams(client, [world.munchkin])
        await ensure_admission(
            client, world.munchkin, await sql.fetchrow(world.engage, "journey_by_id", id=journey)
        )
        await _until(world, "exists (select from traversals where state ->> 'position' = 'ears')")
        world.now = datetime.now(UTC)
        await world.happen("form_filled", person="jane@acme.example", form="meeting")
        await _until(world, "exists (select from traversals where label = 'met')")
        await _until(world, "not exists (select from wakeups)")

    workflow_id = await world.engage.fetchval("select workflow_id from traversals")
    await client.get_workflow_handle(workflow_id).result()
    streams = [f"{name}/{world.munchkin}" for name in STREAM_IDS]
    everything = b""
    for one in [workflow_id, *streams, f"admission/{world.munchkin}/trip/1"]:
        seen = await _all_of(client, one)
        everything += seen
        plain = seen.decode("utf-8", "replace")
        if names and one == workflow_id:
            assert NAME in plain
            plain = plain.replace(NAME, "")
        # workers and clients sign as process@host
        plain = plain.lower().replace(client.identity.lower(), "")
        assert [secret for secret in SECRETS if secret in plain] == [], one
        assert EMAIL.findall(plain) == [], one
    # the troubles were real: their kinds are told, their words are not
    troubles = [b"RaiseError", b"unforeseen, at", b"RelayUnreachable" if names else b"ValueError"]
    assert [trouble for trouble in troubles if trouble not in everything] == []

    for one in [*streams, f"admission/{world.munchkin}/trip/1"]:
        handle = client.get_workflow_handle(one)
        await handle.terminate()
        if not names:
            await Running(world, temporal).record(one.split("/")[0], handle)


async def _fail_once(world: World) -> None:
    """The store stumbles over a person's data, twice: in a local and in an ordinary activity."""
    await world.engage.execute(
        """
        create sequence stumbles;
        create function stumble() returns trigger language plpgsql as $$ begin
          if nextval('stumbles') <= 2 then
            raise exception 'jane@acme.example is already here' using detail = 'Key (email)=(jane@mail.example)';
          end if;
          return new;
        end $$;
        create trigger stumble before insert on steps for each row execute function stumble();
        """
    )


async def _all_of(client: Client, workflow_id: str) -> bytes:
    """What the server keeps of a workflow: every run's events, and its description."""
    handle = client.get_workflow_handle(workflow_id)
    description = await handle.describe()
    raw = description.raw_description.SerializeToString()
    async for execution in client.list_workflows(f'WorkflowId = "{workflow_id}"'):
        run = client.get_workflow_handle(workflow_id, run_id=execution.run_id)
        for event in (await run.fetch_history()).events:
            raw += event.SerializeToString()
    return bytes(raw)


async def _until(world: World, truth: str) -> None:
    for _ in range(400):
        if await world.engage.fetchval(f"select {truth}"):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(truth)
