"""Calls about people: one request a person, or one for the account with its people."""

from datetime import timedelta
from typing import Any

import pytest

from caravan.campaigns.callbacks import answer_for
from caravan.services.client import ServiceClient
from caravan.services.hosts import AllowedHosts
from caravan.services.http import ServiceHttp
from caravan.services.silence import Silence
from tests.calling import ENRICH, Caller, accessors, says

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


leads = pytest.mark.parametrize("caller", ["lead-scoring"], indirect=True)
groups = pytest.mark.parametrize("caller", ["accountPerson-buying-group"], indirect=True)


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
    accessor = accessors(caller)["accessor"]
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
