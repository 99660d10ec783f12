"""Answers of services, told to the real gateway over HTTP: late, twice, broken, too large, not theirs."""

import asyncio
import json
from collections.abc import AsyncIterator

from caravan.engage import life_cycle, sql
from tests.calling import ENRICH, Caller, of_account
from tests.contract import faults
from tests.service import call_back


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


async def test_answer_that_comes_slowly_is_late_where_the_account_has_left_meanwhile(
    caller: Caller,
) -> None:
    await caller.begin(ENRICH)
    await caller.ask()
    body = json.dumps(of_account(await caller.id_of("accounts", "acme"), employeeCount=7)).encode()
    engage = caller.world.engage

    async def slowly() -> AsyncIterator[bytes]:
        yield body[:10]
        await asyncio.sleep(0.5)  # the gateway has looked the token up by now
        await life_cycle.abort(engage, "trip")
        assert [page async for page in life_cycle.take_out(engage, "trip", caller.world.now)]
        yield body[10:]

    slow = await caller.answer(None, content=slowly())
    assert (slow.status_code, slow.json()) == (200, {"status": "late"})
    [row] = await caller.calls()
    assert (row["answer"], row["late_at"] is not None) == (None, True)
    reasons = await engage.fetch("select reason from wakeups")
    assert [row["reason"] for row in reasons] == ["aborted"]


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
