"""Asking outside services over real HTTP on loopback, requests judged by the contract."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import RedirectResponse, Response

from caravan.campaigns import calling
from caravan.campaigns.call_claims import Callbacks
from caravan.campaigns.served import Served
from caravan.engage import sql
from caravan.engage.versions import Inside, Policy
from caravan.services.client import ServiceClient
from caravan.services.errors import OperatorsTurn, Unreachable
from caravan.services.hosts import AllowedHosts
from caravan.services.http import ServiceHttp
from tests.calling import ENRICH, SECRETS, Caller, of_account, says


class Death(Exception):
    """What ends a try without a word."""


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


async def test_a_service_can_be_asked_how_it_is(caller: Caller) -> None:
    workspace = caller.world.workspace(ENRICH.format(url=caller.service.url))
    assert await caller.client.healthy(workspace.services["enrich"])
    caller.service.instead("/status", says(500))
    assert not await caller.client.healthy(workspace.services["enrich"])


async def test_account_that_has_asked_takes_the_answer_before_it_moves(caller: Caller) -> None:
    """Also between claim and question, when nothing rests yet: what was asked is waited for."""
    world = caller.world
    await caller.begin(ENRICH)
    step = await calling.claim(
        world.engage, world.plans, caller.callbacks, caller.traversal, 1, world.now
    )
    assert not isinstance(step, Served)
    edited = ENRICH.replace("timeout: 30 minutes", "timeout: 60 minutes").replace(
        "big: {{wait: 1 day}}", "big: {{wait: 5 days}}"
    )
    workspace = world.workspace(edited.format(url=caller.service.url))
    await world.publish(workspace, "trip", Policy(Inside.migrate))
    asked = await caller.ask()
    assert asked.moved is None
    assert (await caller.state()).pending.until == world.now + timedelta(minutes=30)  # type: ignore[union-attr]
    account = await caller.id_of("accounts", "acme")
    accessors = {"accountTier": "Enterprise", "enrichmentScore": 92}
    await caller.answer(of_account(account, accessorValues=accessors))
    assert await caller.position() == "big"
    assert (await caller.state()).pending.until == world.now + timedelta(days=5)  # type: ignore[union-attr]
    assert len(caller.service.requests) == 1
