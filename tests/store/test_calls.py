"""Calls of outside services: over real HTTP on loopback, both directions by the contract.

A service is asked by the code the activity runs, and answers to the real gateway.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response

from caravan.campaigns import calling
from caravan.campaigns.call_claims import Asked, Callbacks
from caravan.campaigns.callbacks import answer_for
from caravan.engage import sql
from caravan.gateway.app import build_app
from caravan.journeys.state import State
from caravan.services.callback import CALLBACK_PATH
from caravan.services.client import ServiceClient
from caravan.services.errors import OperatorsTurn, Unreachable
from caravan.services.hosts import AllowedHosts
from caravan.services.http import ServiceHttp
from caravan.services.silence import Silence
from tests.contract import example, faults
from tests.service import Listening, OutsideService, call_back
from tests.world import World

ACCOUNTS = "account_id,name,industry\nacme,Acme,Energy\n"
PEOPLE = (
    "person_id,email,first_name,job_title,account_id,roles\n"
    "ann,ann@acme.example,Ann,Chief,acme,champion\n"
    "bo,bo@acme.example,Bo,Clerk,acme,\n"
    "cy,cy@acme.example,Cy,Clerk,acme,\n"
)

ENRICH = """
service: enrich
url: {url}
auth: {{api_key_env: ENRICH_KEY}}
attributes: {{apiKey: {{env: ENRICH_KEY}}, dataProvider: registry}}
fields:
  out: {{accountId: account.account_id, accountName: account.name, industry: account.industry}}
  in: {{employeeCount: account.employees, annualRevenue: account.annual_revenue}}
---
journey: trip
audience: everyone
schedule: {{end: 30 days}}
start: ask
nodes:
  ask:
    call: enrich
    of: account
    with: {{enrichmentType: "of {{{{ account.name }}}}", priority: high}}
    timeout: 30 minutes
    paths:
      - {{label: Enterprise, when: {{accountTier: enterprise, enrichmentScore: {{at_least: 80}}}}, next: big}}
      - {{when: {{technographyMatch: true}}, next: fits}}
    failed: lost
    next: other
  big: {{wait: 1 day}}
  fits: {{wait: 1 day}}
  other: {{wait: 1 day}}
  lost: {{wait: 1 day}}
"""

LEADS = """
service: scoring
url: {url}
auth: {{username_env: USER, password_env: WORD}}
attributes: {{apiKey: k}}
fields:
  out: {{email: person.email, title: person.job_title}}
  in: {{seniority: person.seniority, mobilePhone: person.mobile_phone}}
---
journey: trip
audience: everyone
schedule: {{end: 30 days}}
start: ask
nodes:
  ask:
    call: scoring
    of: people
    with: {{scoringModel: predictive}}
    paths:
      - {{label: Hot, when: {{leadScore: {{at_least: 80}}}}, do: [{{send_email: {{template: hi}}}}]}}
      - {{label: Warm, when: {{leadScore: {{at_least: 40}}}}, do: [{{update_person: {{field: job_title, value: warm}}}}]}}
    failed: lost
    next: rest
  rest: {{wait: 1 day}}
  lost: {{wait: 1 day}}
"""

GROUPS = """
service: groups
url: {url}
auth: {{token_url: {url}/token, client_id_env: ID, client_secret_env: HUSH}}
attributes: {{apiKey: k}}
fields:
  out: {{accountId: account.account_id, accountName: account.name, email: person.email}}
---
journey: trip
audience: everyone
schedule: {{end: 30 days}}
start: ask
nodes:
  ask:
    call: groups
    of: account_people
    with: {{analysisType: roles}}
    paths:
      - {{label: Buyer, when: {{{accessor}: buyer}}, do: [{{person_interesting_moment: {{type: web, text: buyer}}}}]}}
    next: rest
  rest: {{wait: 1 day}}
"""

SECRETS = {"ENRICH_KEY": "k-1", "USER": "us", "WORD": "hush", "ID": "us", "HUSH": "hush"}


@dataclass
class Caller:
    """A world whose accounts call a service, and the gateway it answers to."""

    world: World
    service: OutsideService
    gateway: Listening
    client: ServiceClient
    traversal: int = 0

    @property
    def callbacks(self) -> Callbacks:
        return Callbacks(self.world.munchkin, f"{self.gateway.url}{CALLBACK_PATH}", "s" * 40)

    async def begin(
        self, documents: str, mails: tuple[str, ...] = (), people: str = PEOPLE
    ) -> None:
        workspace = self.world.workspace(
            documents.format(url=self.service.url, **_accessors(self)), mails
        )
        await self.world.load(workspace, accounts=ACCOUNTS, people=people)
        journey = await self.world.publish(workspace, "trip")
        [self.traversal] = await self.world.enter(journey)
        await self.world.walk(self.traversal)

    async def ask(self, **options: Any) -> Asked:
        options = {"callbacks": self.callbacks, "go_on": True} | options
        world = self.world
        state = await world.state(self.traversal)
        return await calling.ask(
            world.engage,
            world.plans,
            self.client,
            traversal_id=self.traversal,
            step_no=state.step_no,
            now=lambda: world.now,
            **options,
        )

    async def state(self) -> State:
        return await self.world.state(self.traversal)

    async def position(self) -> str | None:
        return (await self.world.walk(self.traversal)).position

    async def answer(self, body: Any, request: int = 0, **how: Any) -> Any:
        asked = self.service.requests[request]
        return await call_back(asked["callbackUrl"], asked["token"], body, **how)

    async def calls(self) -> list[Any]:
        return list(await self.world.engage.fetch("select * from calls order by person_id"))

    async def id_of(self, table: str, outside_id: str) -> int:
        found = await self.world.engage.fetchval(
            f"select id from {table} where external_id = $1", outside_id
        )
        return int(found)


def _accessors(caller: Caller) -> dict[str, str]:
    known = caller.service.definition["invocationPayloadDef"]["accessorsMetadata"]
    return {"accessor": known[0]["accessorName"] if known else "none"}


class Death(Exception):
    """What ends a try without a word."""


@pytest.fixture
async def gateway(world: World) -> AsyncIterator[Listening]:
    new = Listening(build_app(world.stores))
    await new.start()
    yield new
    await new.stop()


@pytest.fixture
async def caller(
    world: World, gateway: Listening, request: pytest.FixtureRequest
) -> AsyncIterator[Caller]:
    service = OutsideService(example(getattr(request, "param", "account-enrichment")))
    await service.start()
    http = ServiceHttp(AllowedHosts.parse(f"127.0.0.1:{service.port}"), longest=2)
    new = Caller(world, service, gateway, ServiceClient(http, SECRETS))
    yield new
    assert service.faults == []
    await new.client.close()
    await service.stop()


def of_account(account_id: int, success: bool = True, **said: Any) -> dict[str, Any]:
    return {
        "objectData": [
            {"activityData": {"success": success}, "accountData": {"id": account_id, **said}}
        ]
    }


leads = pytest.mark.parametrize("caller", ["lead-scoring"], indirect=True)
groups = pytest.mark.parametrize("caller", ["accountPerson-buying-group"], indirect=True)


async def test_an_account_waits_for_the_answer_and_goes_where_it_leads(caller: Caller) -> None:
    await caller.begin(ENRICH)
    arrived = caller.world.now
    await caller.ask()
    assert (await caller.state()).pending.until == arrived + timedelta(minutes=30)  # type: ignore[union-attr]
    assert await caller.position() == "ask"
    account = await caller.id_of("accounts", "acme")
    said = of_account(
        account, annualRevenue=12.5, employeeCount=7, industry="other",
        accessorValues={"accountTier": "Enterprise", "enrichmentScore": 92},
    )  # fmt: skip
    answered = await caller.answer(said)
    assert answered.status_code == 200
    assert await caller.world.engage.fetchval("select count(*) from wakeups") == 1
    assert await caller.position() == "big"
    attributes = await caller.world.engage.fetchval("select attributes from accounts")
    # what is not mapped is not written, whatever the service says
    assert (attributes["employees"], attributes["annual_revenue"]) == (7, 12.5)
    assert attributes["industry"] == "Energy"
    changes = await caller.world.engage.fetch("select fields from changes where origin = 'journey'")
    assert {key for row in changes for key in row["fields"]} == {"employees", "annual_revenue"}
    kinds = await caller.world.engage.fetch(
        "select fields from activities where type = 'account_changed'"
    )
    assert {row["fields"]["field"] for row in kinds} == {"employees", "annual_revenue"}
    [step] = await caller.world.engage.fetch(
        "select * from steps where node = 'ask' and outcome ? 'edge'"
    )
    assert step["because"] == {"accessor.accountTier": "Enterprise", "accessor.enrichmentScore": 92}


async def test_the_request_says_what_the_contract_and_the_documents_say(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    [body] = caller.service.requests
    account = await caller.id_of("accounts", "acme")
    assert body["objectData"] == {
        "objectType": "account",
        "objectContext": {
            "accountId": str(account),
            "accountData": {"accountId": "acme", "accountName": "Acme", "industry": "Energy"},
        },
        "flowStepContext": {"enrichmentType": "of Acme", "priority": "high"},
    }
    assert body["context"]["admin"] == {"apiKey": "k-1", "dataProvider": "registry"}
    assert body["context"]["subscription"]["munchkinId"] == caller.world.munchkin
    assert body["context"]["journey"]["id"] == "trip"
    assert body["enableSplitPaths"] is True
    assert body["actionConfig"]["timeout"] == 30
    first, second, rest = body["actionConfig"]["pathConfig"]
    assert first["pathId"] == "Enterprise"
    assert first["pathDefinition"] == [
        {"accessor": "accountTier", "operator": "is", "values": ["enterprise"]},
        {"accessor": "enrichmentScore", "operator": "greaterThanOrEqual", "values": ["80"]},
    ]
    assert second["pathId"] == "2"
    assert rest == {"pathId": "otherwise", "pathDefinition": []}
    headers = caller.service.headers[-1]
    assert headers["x-api-key"] == "k-1"
    assert headers["x-tenant-id"] == caller.world.munchkin  # the definition's own header
    assert len(headers["x-request-id"]) == 32
    [row] = await caller.calls()
    assert body["token"].encode() not in row["token_hash"]
    assert "k-1" not in str(await caller.world.engage.fetchval("select body from plans"))


async def test_an_account_that_fits_no_path_goes_on(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    account = await caller.id_of("accounts", "acme")
    await caller.answer(
        of_account(account, accessorValues={"accountTier": None, "enrichmentScore": "x"})
    )
    assert await caller.position() == "other"


async def test_without_an_answer_the_time_is_up_and_a_late_one_is_noted(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    caller.world.pass_time(minutes=30)
    assert await caller.position() == "lost"
    account = await caller.id_of("accounts", "acme")
    late = await caller.answer(of_account(account, employeeCount=7))
    assert (late.status_code, late.json()) == (200, {"status": "late"})
    [row] = await caller.calls()
    assert row["state"] == "timed_out"
    assert row["late_at"] is not None
    assert row["answer"] is None
    assert await caller.position() == "lost"


async def test_an_answer_is_taken_once(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    account = await caller.id_of("accounts", "acme")
    first = await caller.answer(of_account(account, accessorValues={"technographyMatch": True}))
    again = await caller.answer(of_account(account, employeeCount=99))
    assert (first.json(), again.json()) == ({"status": "recorded"}, {"status": "repeated"})
    assert again.status_code == 200
    assert await caller.position() == "fits"
    assert await caller.world.engage.fetchval("select count(*) from wakeups") == 1


async def test_an_answer_may_come_before_the_asking_is_recorded(caller: Caller) -> None:
    await caller.begin(ENRICH)
    account = await caller.id_of("accounts", "acme")

    class Hasty(ServiceClient):
        async def submit(self, *args: Any) -> None:
            await super().submit(*args)
            await caller.answer(of_account(account, accessorValues={"technographyMatch": True}))

    caller.client = Hasty(caller.client._http, SECRETS)
    asked = await caller.ask()
    assert [outcome.edge for outcome in asked.outcomes][:1] == ["2"]
    assert await caller.position() == "fits"


async def test_a_worker_killed_after_asking_asks_again_with_the_same_token(caller: Caller) -> None:
    await caller.begin(ENRICH)

    class Killed(ServiceClient):
        async def submit(self, *args: Any) -> None:
            await super().submit(*args)
            raise Death

    dying = Killed(caller.client._http, SECRETS)
    alive, caller.client = caller.client, dying
    with pytest.raises(Death):
        await caller.ask()
    [row] = await caller.calls()
    assert row["state"] == "claimed"
    caller.client = alive
    await caller.ask()
    first, second = caller.service.requests
    assert first["token"] == second["token"]
    assert [h["x-request-id"] for h in caller.service.headers if "x-request-id" in h][:1] * 2 == [
        h["x-request-id"] for h in caller.service.headers if "x-request-id" in h
    ]
    account = await caller.id_of("accounts", "acme")
    assert (await caller.answer(of_account(account))).json() == {"status": "recorded"}
    assert await caller.position() == "other"


async def test_asking_again_what_was_recorded_asks_nobody(caller: Caller) -> None:
    await caller.begin(ENRICH)
    asked = await caller.ask()
    again = await calling.ask(
        caller.world.engage, caller.world.plans, caller.client, caller.callbacks,
        traversal_id=caller.traversal, step_no=asked.outcomes[0].step_no, now=lambda: caller.world.now,
    )  # fmt: skip
    assert again.outcomes == asked.outcomes
    assert len(caller.service.requests) == 1


def says(status: int, body: Any = None) -> Callable[[], Response]:
    return lambda: JSONResponse(body, status_code=status)


@pytest.mark.parametrize(
    "reply",
    [
        says(400, {"status": "error", "code": "INVALID_REQUEST", "message": "ann@acme.example"}),
        says(401),
        says(422),
        says(201, {"status": "done", "requestId": "r"}),
        says(201, {"status": "accepted"}),
        says(201, ["accepted"]),
        lambda: RedirectResponse("http://127.0.0.1:1/", status_code=307),
        lambda: Response(b"x" * 2_000_000, status_code=201),
    ],
)
async def test_a_service_that_says_no_or_nonsense_has_failed(
    caller: Caller, reply: Callable[[], Response]
) -> None:
    caller.service.instead("/submitAsyncAction", reply)
    await caller.begin(ENRICH)
    await caller.ask()
    assert await caller.position() == "lost"
    [row] = await caller.calls()
    assert row["state"] == "failed"
    assert row["reply"]
    assert "acme" not in row["reply"]


@pytest.mark.parametrize("reply", [says(500), says(503), says(429)])
async def test_a_service_that_is_away_is_asked_again_until_the_time_is_up(
    caller: Caller, reply: Callable[[], Response]
) -> None:
    caller.service.instead("/submitAsyncAction", reply, reply)
    await caller.begin(ENRICH)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await caller.ask()
    caller.world.pass_time(minutes=29)
    await caller.ask()
    assert caller.service.requests[-1]["actionConfig"]["timeout"] == 1
    assert await caller.position() == "ask"
    caller.world.pass_time(minutes=1)
    assert await caller.position() == "lost"


async def test_a_service_that_stays_away_has_failed_when_the_time_is_up(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.service.stop()
    with pytest.raises(Unreachable):
        await caller.ask()
    caller.world.pass_time(minutes=30)
    asked = await caller.ask()
    assert asked.outcomes[0].edge == "failed"
    [row] = await caller.calls()
    assert row["state"] == "failed"
    assert "127.0.0.1" in row["reply"]


async def test_a_host_nobody_allowed_is_not_asked_and_the_operator_has_time_to_allow_it(
    caller: Caller,
) -> None:
    await caller.begin(ENRICH)
    allowed = caller.client
    caller.client = ServiceClient(ServiceHttp(AllowedHosts.parse("elsewhere.example")), SECRETS)
    with pytest.raises(OperatorsTurn, match="SERVICE_HOSTS"):
        await caller.ask()
    assert caller.service.requests == []
    await caller.client.close()
    caller.client = allowed
    await caller.ask()
    assert len(caller.service.requests) == 1


@pytest.mark.parametrize(
    ("callbacks", "secrets", "missing"),
    [
        (Callbacks("m"), SECRETS, "PUBLIC_URL"),
        (Callbacks("m", "https://us.example"), SECRETS, "GATEWAY_SECRET"),
        (None, {}, "ENRICH_KEY"),
    ],
)
async def test_what_the_operator_has_not_set_is_named_and_waited_for(
    caller: Caller, callbacks: Callbacks | None, secrets: dict[str, str], missing: str
) -> None:
    await caller.begin(ENRICH)
    caller.client = ServiceClient(caller.client._http, secrets)
    with pytest.raises(OperatorsTurn, match=missing):
        await caller.ask(callbacks=callbacks or caller.callbacks)
    assert caller.service.requests == []


async def change(definition: dict[str, Any], path: str, value: Any) -> None:
    place = definition
    *keys, last = path.split(".")
    for key in keys:
        place = place[key]
    place[last] = value


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("supportedEntityType", "everything", "supportedEntityType"),
        ("enableSplitPaths", False, "split paths"),
        ("invocationPayloadDef.accessorsMetadata", [], "no accessor accountTier"),
        ("invocationPayloadDef.flowAttributes", [], "no attribute enrichmentType"),
        ("callbackPayloadDef.accountFields", [], "no field employeeCount"),
        ("callbackPayloadDef", None, "callbackPayloadDef"),
        ("timeout", 241, "timeout"),
    ],
)
async def test_a_definition_that_does_not_fit_fails_the_call_and_says_why(
    caller: Caller, path: str, value: Any, told: str
) -> None:
    await change(caller.service.definition, path, value)
    await caller.begin(ENRICH)
    await caller.ask()
    assert await caller.position() == "lost"
    [row] = await caller.calls()
    assert told in row["reply"]
    assert caller.service.requests == []


async def test_only_a_known_token_is_let_in(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    account = await caller.id_of("accounts", "acme")
    body = of_account(account)
    good = caller.service.requests[0]["token"]
    url = caller.service.requests[0]["callbackUrl"]
    for token in (
        None,
        "",
        "x",
        good[:-1],
        good + "x",
        "a" * 10_000,
        "%00.é".encode().hex(),
    ):
        refused = await call_back(url, token, body)
        assert refused.status_code == 401
        assert faults("Error", refused.json()) == []
    # strangers cannot make it look for subscriptions all the time
    strangers = [await call_back(url, f"nobody-{n}.{good}", body) for n in range(3)]
    assert {answer.status_code for answer in strangers} <= {401, 503}
    [row] = await caller.calls()
    assert row["state"] == "submitted"


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"{}",
    b'{"objectData": []}',
    b'{"objectData": [{"accountData": {"id": ID}}]}',
    b'{"objectData": [{"activityData": {"success": "yes"}, "accountData": {"id": ID}}]}',
    b'{"objectData": [{"activityData": {"success": true}}]}',
    b'{"objectData": [{"activityData": {"success": true}, "leadData": {"id": ID}}]}',
    b'{"objectData": [{"activityData": {"success": true}, "accountData": {"id": 999999}}]}',
    b'{"objectData": [{"activityData": {"success": true}, "accountData": {"id": "ID"}}]}',
    b'{"objectData": [{"activityData": {"success": true}, "accountData": {"id": ID, "a": NaN}}]}',
    b'{"objectData": [{"activityData": {"success": true}, "accountData": {"id": ID, "a": 1e999}}]}',
    b'{"objectData": [{"activityData": {"success": true}, "accountData": {"id": ID, "a": "\\u0000"}}]}',
    b'{"objectData": [{"activityData": {"success": true}, "accountData": {"id": ID, "a": "\\ud800"}}]}',
    b'{"objectData": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"objectData": [{"activityData": {"success": true}, "accountData": {"id": ID, "accessorValues": 5}}]}',
    b'{"objectData": [{"activityData": {"success": true}, "accountData": {"id": '
    + b"9" * 5000
    + b"}}]}",
]


async def test_a_callback_that_breaks_the_contract_changes_nothing(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    account = await caller.id_of("accounts", "acme")
    for content in BROKEN:
        refused = await caller.answer(None, content=content.replace(b"ID", str(account).encode()))
        assert refused.status_code == 400, content[:200]
        assert faults("Error", refused.json()) == []
    [row] = await caller.calls()
    assert row["state"] == "submitted"


async def test_a_callback_has_a_size(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    refused = await caller.answer(None, content=b" " * 1_000_001)
    assert refused.status_code == 413
    assert faults("Error", refused.json()) == []


async def test_a_value_that_does_not_fit_its_field_is_left_out_and_told(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    account = await caller.id_of("accounts", "acme")
    await caller.answer(of_account(account, employeeCount={"a": 1}, annualRevenue=5))
    assert await caller.position() == "other"
    attributes = await caller.world.engage.fetchval("select attributes from accounts")
    assert "employees" not in attributes
    assert attributes["annual_revenue"] == 5
    [effect] = await caller.world.ledger()
    assert (effect["action"], effect["state"], effect["reason"]) == ("call", "skipped", "bad-value")


async def test_a_service_that_did_not_succeed_has_failed(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    account = await caller.id_of("accounts", "acme")
    body = of_account(account, success=False, employeeCount=7)
    body["objectData"][0]["activityData"] |= {"errorCode": "NOT_FOUND", "reason": "no such company"}
    await caller.answer(body)
    assert await caller.position() == "lost"
    assert "employees" not in await caller.world.engage.fetchval("select attributes from accounts")
    because = await caller.world.engage.fetchval(
        "select because from steps where outcome ->> 'edge' = 'failed'"
    )
    assert because == {"reason": "NOT_FOUND: no such company"}


async def test_a_removed_account_is_not_asked_for_and_its_answer_is_late(caller: Caller) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    account = await caller.id_of("accounts", "acme")
    await sql.fetch(
        caller.world.engage, "close_traversals",
        traversal_ids=[caller.traversal], reason="removed", at=caller.world.now,
    )  # fmt: skip
    assert (await caller.answer(of_account(account))).json() == {"status": "late"}


async def test_a_traversal_closed_between_claim_and_asking_is_not_asked_for(caller: Caller) -> None:
    await caller.begin(ENRICH)

    class Overtaken(ServiceClient):
        async def definition(self, *args: Any) -> Any:
            definition = await super().definition(*args)
            await sql.fetch(
                caller.world.engage, "close_traversals",
                traversal_ids=[caller.traversal], reason="removed", at=caller.world.now,
            )  # fmt: skip
            return definition

    caller.client = Overtaken(caller.client._http, SECRETS)
    asked = await caller.ask()
    assert asked.ended is not None
    assert asked.ended.reason == "removed"
    assert caller.service.requests == []


async def test_the_end_date_overtakes_a_call(caller: Caller) -> None:
    await caller.begin(ENRICH)
    caller.world.pass_time(days=30)
    asked = await caller.ask()
    assert asked.ended is not None
    assert asked.ended.reason == "end-date"
    assert caller.service.requests == []


def of_lead(person_id: int, success: bool = True, **said: Any) -> dict[str, Any]:
    lead = {"id": person_id, **said}
    return {"objectData": [{"activityData": {"success": success}, "leadData": lead}]}


@leads
async def test_each_person_is_asked_about_and_takes_the_path_of_the_answer(caller: Caller) -> None:
    await caller.begin(LEADS, ("hi",))
    await caller.ask()
    assert (await caller.state()).pending.until == caller.world.now + timedelta(minutes=60)  # type: ignore[union-attr]
    assert caller.service.headers[-1]["authorization"].startswith("Basic ")
    by_email = {
        body["objectData"]["objectContext"]["leadData"]["email"]: number
        for number, body in enumerate(caller.service.requests)
    }
    ann, bo, cy = [await caller.id_of("people", name) for name in ("ann", "bo", "cy")]
    hot = of_lead(ann, seniority="senior", accessorValues={"leadScore": 90})
    await caller.answer(hot, by_email["ann@acme.example"])
    wrong = await caller.answer(of_lead(ann), by_email["bo@acme.example"])
    assert wrong.status_code == 400  # a service answers for the person it was asked about
    await caller.answer(of_lead(bo, accessorValues={"leadScore": 50}), by_email["bo@acme.example"])
    assert await caller.position() == "ask"  # Cy is still waited for
    caller.world.pass_time(minutes=60)
    assert await caller.position() == "rest"
    assert [address for _, address in caller.world.mailed()] == ["ann@acme.example"]
    people = dict(await caller.world.engage.fetch("select external_id, attributes from people"))
    assert people["ann"]["seniority"] == "senior"
    assert people["bo"]["job_title"] == "warm"
    assert people["cy"]["job_title"] == "Clerk"
    rows = await caller.world.engage.fetch("select person_id, path, because from participants")
    assert {row["person_id"]: (row["path"], row["because"]) for row in rows} == {
        ann: ("Hot", {"leadScore": 90}),
        bo: ("Warm", {"leadScore": 50}),
        cy: (None, {}),
    }
    ledger = {
        (row["action"], row["person_id"]): row["reason"] for row in await caller.world.ledger()
    }
    assert ledger[("call", cy)] == "timeout"
    assert ledger[("call", ann)] is None


@leads
async def test_where_nobody_could_be_asked_about_the_call_has_failed(caller: Caller) -> None:
    caller.service.instead("/submitAsyncAction", *[says(400)] * 3)
    await caller.begin(LEADS, ("hi",))
    await caller.ask()
    assert await caller.position() == "lost"


@leads
async def test_an_account_without_people_asks_nobody_and_goes_on(caller: Caller) -> None:
    await caller.begin(LEADS, ("hi",), people="person_id,email,account_id\n")
    await caller.ask()
    assert await caller.position() == "rest"
    assert caller.service.requests == []


@groups
async def test_one_request_tells_of_the_account_and_its_people(caller: Caller) -> None:
    await caller.begin(GROUPS)
    await caller.ask()
    [body] = caller.service.requests
    assert caller.service.headers[-1]["authorization"] == "Bearer t-1"
    told = body["objectData"]["objectContext"]
    assert told["accountData"]["accountName"] == "Acme"
    roles = {
        one["leadData"]["email"]: one["relationshipMetadata"]["roles"]
        for one in told["accountPersonRelationships"]
    }
    assert roles == {"ann@acme.example": ["champion"], "bo@acme.example": [], "cy@acme.example": []}
    accessor = _accessors(caller)["accessor"]
    people = [
        {key: one[key] for key in ("accountPersonRelId", "accountId", "personId")}
        for one in told["accountPersonRelationships"]
    ]
    people[1]["accessorValues"] = {accessor: "buyer"}
    foreign = {**people[0], "personId": people[1]["personId"]}

    def said(*some: dict[str, Any]) -> dict[str, Any]:
        item = {"activityData": {"success": True}, "accountPersonData": list(some)}
        return {"objectData": [item]}

    assert (await caller.answer(said(foreign))).status_code == 400
    assert (await caller.answer(said(*people))).status_code == 200
    assert await caller.position() == "rest"
    moments = await caller.world.engage.fetch(
        "select person_id from activities where type = 'interesting_moment'"
    )
    assert [row["person_id"] for row in moments] == [people[1]["personId"]]


async def test_a_service_can_be_asked_how_it_is(caller: Caller) -> None:
    workspace = caller.world.workspace(ENRICH.format(url=caller.service.url))
    assert await caller.client.healthy(workspace.services["enrich"])
    caller.service.instead("/status", says(500))
    assert not await caller.client.healthy(workspace.services["enrich"])


@pytest.mark.parametrize(("journey", "position"), [(ENRICH, "fits"), (LEADS, "rest")])
async def test_a_simulation_asks_nobody_and_answers_from_its_events(
    caller: Caller, journey: str, position: str
) -> None:
    await caller.begin(journey, ("hi",))
    caller.client = Silence()  # type: ignore[assignment]
    await caller.ask()
    assert await caller.position() == "ask"
    account = await caller.id_of("accounts", "acme")
    async with caller.world.engage.acquire() as conn, conn.transaction():
        answered = await answer_for(
            conn,
            account_id=account,
            node="ask",
            accessors={"technographyMatch": True, "leadScore": 85},
            at=caller.world.now,
        )
    assert answered == (1 if journey is ENRICH else 3)
    assert await caller.position() == position
    assert len(caller.world.mailed()) == (0 if journey is ENRICH else 3)
    assert caller.service.requests == []
    caller.client = ServiceClient(ServiceHttp(AllowedHosts()), {})
