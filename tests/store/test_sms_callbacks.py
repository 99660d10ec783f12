"""What a provider tells the gateway: STOP and START, and what became of messages; and what nobody else may say."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from caravan.campaigns import proving
from caravan.campaigns.resolving import Said, resolve
from caravan.engage import life_cycle, sql, subscriptions
from caravan.gateway.app import build_app
from caravan.gateway.texts import SmsCallbacks
from tests.provider import DROP, TOKEN, Provider, signature
from tests.service import Listening
from tests.store.test_send_sms import TEXT, begin, outcomes
from tests.world import World

PUBLIC = "https://caravan.example/gate"

Say = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def gateway(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listening]:
    monkeypatch.setattr("caravan.gateway.subscriptions.all_of", world.alone)
    new = Listening(build_app(world.stores, texts=SmsCallbacks(TOKEN, PUBLIC)))
    await new.start()
    yield new
    await new.stop()


@pytest.fixture
async def provider(world: World) -> AsyncIterator[Provider]:
    new = Provider()
    await new.start()
    transport = new.transport(status_url="http://127.0.0.1:9/sms/status")
    world.texts = transport
    yield new
    await transport.close()
    await new.stop()


@pytest.fixture
def say(gateway: Listening) -> Say:
    """Post what a provider posts, signed over the address that it knows."""

    async def post(
        path: str, *, token: str = TOKEN, sign: str | None = None, **form: str
    ) -> httpx.Response:
        signed = signature(f"{PUBLIC}{path}", form, token) if sign is None else sign
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if signed:
            headers["X-Twilio-Signature"] = signed
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            return await client.post(
                f"{gateway.url}{path}", content=urlencode(form), headers=headers
            )

    return post


async def answer(say: Say, body: str, sid: str = "SM1", **more: str) -> httpx.Response:
    form = {"From": "+46701234567", "To": "+15005550006", "Body": body, "MessageSid": sid}
    return await say("/sms/inbound", **form, **more)


async def consents(world: World) -> dict[str, bool | None]:
    rows = await world.engage.fetch(
        "select external_id, (attributes ->> 'sms_consent')::boolean as yes from people order by id"
    )
    return {row["external_id"]: row["yes"] for row in rows}


async def suppressed(world: World) -> list[tuple[str, str]]:
    rows = await world.engage.fetch("select subject, reason from suppressions order by subject")
    return [(row["subject"], row["reason"]) for row in rows]


SHARED = """person_id,email,first_name,mobile_phone,sms_consent,account_id
p,p@a.example,Pia,+46 70-123 45 67,true,a
q,q@a.example,Quy,0046 (70) 1234567,true,a
r,r@a.example,Rut,+47701234567,true,a
"""


async def test_stop_is_for_everybody_who_has_the_number(
    world: World, provider: Provider, say: Say
) -> None:
    traversal = await begin(world, people=SHARED)
    reply = await answer(say, " stop. ")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    # the last seven digits are the same, the number is another
    assert await consents(world) == {"p": False, "q": False, "r": True}
    assert await suppressed(world) == [("+46701234567", "opt_out")]
    await world.walk(traversal)
    assert await outcomes(world) == {"p": "no-consent", "q": "no-consent", "r": "accepted"}
    # kept with its source, told to the Platform, heard by whoever listens
    sources = await world.engage.fetch("select distinct source from consents where new = false")
    assert [row["source"] for row in sources] == ["sms:stop"]
    changes = await world.engage.fetchval(
        "select count(*) from changes where entity = 'person' and fields = '{\"sms_consent\": false}'"
    )
    assert changes == 2
    heard = await world.engage.fetchval(
        "select count(*) from activities where type = 'person_changed'"
    )
    assert heard == 2


async def test_stop_is_heard_by_a_subscription_that_is_paired_with_no_sandbox(
    world: World, provider: Provider, say: Say
) -> None:
    await begin(world, people=SHARED)
    slug = await world.engage.fetchval("select slug from journeys")
    await life_cycle.abort(world.engage, slug)
    async for _ in life_cycle.take_out(world.engage, slug, world.now):
        pass
    await subscriptions.unbind(world.stores.engage_dsn, world.munchkin)
    assert (await answer(say, "STOP")).status_code == 200
    assert await consents(world) == {"p": False, "q": False, "r": True}
    assert await suppressed(world) == [("+46701234567", "opt_out")]


async def test_start_takes_a_stop_back_and_no_other_suppression(world: World, say: Say) -> None:
    await begin(world, people=SHARED)
    await answer(say, "STOP", "SM1")
    await answer(say, "Start", "SM2")
    assert await consents(world) == {"p": True, "q": True, "r": True}
    assert await suppressed(world) == []
    await answer(say, "UNSUBSCRIBE", "SM3")
    await world.engage.execute("update suppressions set reason = 'blocked'")
    await answer(say, "UNSTOP", "SM4")
    assert await suppressed(world) == [("+46701234567", "blocked")]


async def test_answer_that_is_said_again_changes_nothing(world: World, say: Say) -> None:
    await begin(world, people=SHARED)
    for body, sid in (("STOP", "SM1"), ("START", "SM2"), ("STOP", "SM1")):
        assert (await answer(say, body, sid)).status_code == 200
    assert (await consents(world))["p"] is True


@pytest.mark.parametrize("body", ["Please stop", "stop it", "", "Yes please", "help"])
async def test_other_answers_are_nobodys_consent(world: World, say: Say, body: str) -> None:
    await begin(world, people=SHARED)
    await answer(say, body)
    assert set((await consents(world)).values()) == {True}


async def test_own_words_of_the_operator_are_the_providers_to_know(world: World, say: Say) -> None:
    await begin(world, people=SHARED)
    await answer(say, "Sluta", OptOutType="STOP")
    assert (await consents(world))["p"] is False


async def test_stop_of_a_number_nobody_has_yet_holds_for_who_gets_it(
    world: World, provider: Provider, say: Say
) -> None:
    await answer(say, "STOP")
    traversal = await begin(world)
    await world.walk(traversal)
    assert await outcomes(world) == {"p": "no-consent", "q": "accepted"}


@pytest.mark.parametrize("wrong", ["no signature", "another token", "another address", "cut off"])
async def test_what_is_not_signed_changes_nothing(world: World, say: Say, wrong: str) -> None:
    await begin(world, people=SHARED)
    form = {"From": "+46701234567", "Body": "STOP", "MessageSid": "SM1"}
    right = signature(f"{PUBLIC}/sms/inbound", form)
    sign = {
        "no signature": "",
        "another token": signature(f"{PUBLIC}/sms/inbound", form, "guessed"),
        "another address": signature(f"{PUBLIC}/sms/status", form),
        "cut off": right[:-4],
    }[wrong]
    assert (await say("/sms/inbound", sign=sign, **form)).status_code == 403
    assert (
        await say("/sms/inbound", sign=right, **form | {"From": "+47701234567"})
    ).status_code == 403
    assert set((await consents(world)).values()) == {True}
    assert await suppressed(world) == []
    assert await world.engage.fetchval("select count(*) from texts_heard") == 0


async def test_without_a_token_there_are_no_such_addresses(world: World) -> None:
    listening = Listening(build_app(world.stores))
    await listening.start()
    try:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            for path in ("/sms/inbound", "/sms/status"):
                assert (await client.post(f"{listening.url}{path}")).status_code == 404
    finally:
        await listening.stop()


async def activities(world: World) -> list[tuple[str, str | None]]:
    rows = await world.engage.fetch(
        "select type, fields ->> 'code' as code from activities where type like 'sms%' order by id"
    )
    return [(row["type"], row["code"]) for row in rows]


async def path_of(provider: Provider, number: int = 0) -> str:
    """The address the provider was told for a message, as the gateway's."""
    return "/sms/status?" + provider.callbacks[number].partition("?")[2]


async def test_status_is_the_persons_activity_once(
    world: World, provider: Provider, say: Say
) -> None:
    await world.walk(await begin(world))
    one, other = await path_of(provider, 0), await path_of(provider, 1)
    for status in ("sent", "delivered", "delivered"):
        assert (await say(one, MessageSid="SM1", MessageStatus=status)).status_code == 204
    await say(other, MessageSid="SM2", MessageStatus="undelivered", ErrorCode="30003")
    assert await activities(world) == [
        ("sms_sent", None), ("sms_sent", None), ("sms_delivered", None), ("sms_bounced", "30003"),
    ]  # fmt: skip
    reply = await say(one, sign="forged", MessageSid="SM1", MessageStatus="failed")
    assert reply.status_code == 403
    assert len(await activities(world)) == 4


async def test_status_mends_a_doubt(world: World, provider: Provider, say: Say) -> None:
    provider.when(DROP, about="4567")
    await world.walk(await begin(world))
    assert (await outcomes(world))["p"] == "in_doubt"
    await say(await path_of(provider), MessageSid=provider.sid(1), MessageStatus="delivered")
    assert await outcomes(world) == {"p": "accepted", "q": "accepted"}
    reply = await world.engage.fetchval("select reply from ledger where reply like '%delivered'")
    assert reply == f"{provider.sid(1)} delivered"
    assert sorted(await activities(world)) == [
        ("sms_delivered", None), ("sms_sent", None), ("sms_sent", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "message", ["", "nobody/1", "/1", "MUNCHKIN/999", "MUNCHKIN/x", "MUNCHKIN/²"]
)
async def test_status_of_no_message_of_ours_is_passed_over(
    world: World, say: Say, message: str
) -> None:
    query = urlencode({"message": message.replace("MUNCHKIN", world.munchkin)})
    reply = await say(f"/sms/status?{query}", MessageSid="SM1", MessageStatus="delivered")
    assert reply.status_code == 204
    assert await activities(world) == []


async def test_account_that_listens_for_a_bounced_text_hears_it(
    world: World, provider: Provider, say: Say
) -> None:
    workspace = world.workspace(
        f"""
journey: main
audience: everyone
schedule: {{end: 90 days}}
start: text
nodes:
  text: {{do: [{TEXT}], next: ear}}
  ear: {{listen: [sms_bounced: {{}}], timeout: {{after: 2 days, end: fine}}, end: unreachable}}
"""
    )
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,first_name,mobile_phone,sms_consent,account_id\n"
        "p,p@a.example,Pia,+46701234567,yes,a\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "main"))
    await world.walk(traversal)
    await say(await path_of(provider), MessageSid="SM1", MessageStatus="failed", ErrorCode="30005")
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "unreachable"


async def test_status_that_cannot_be_recorded_settles_nothing(
    world: World, provider: Provider, say: Say
) -> None:
    """The provider says it again: only a doubt that still stands then has it recorded that the text was sent."""
    provider.when(DROP, about="4567")
    await world.walk(await begin(world))
    await world.engage.execute(
        "alter table activities add constraint broken check (type <> 'sms_delivered')"
    )
    told = {"MessageSid": provider.sid(1), "MessageStatus": "delivered"}
    assert (await say(await path_of(provider), **told)).status_code == 503
    assert (await outcomes(world))["p"] == "in_doubt"
    await world.engage.execute("alter table activities drop constraint broken")
    assert (await say(await path_of(provider), **told)).status_code == 204
    assert (await outcomes(world))["p"] == "accepted"
    assert sorted(await activities(world)) == [
        ("sms_delivered", None), ("sms_sent", None), ("sms_sent", None),
    ]  # fmt: skip


async def test_texts_are_proved_by_the_providers_log_and_by_its_word(
    world: World, provider: Provider, say: Say
) -> None:
    provider.when(DROP, about="4568")
    await world.walk(await begin(world))
    await say(await path_of(provider), MessageSid=provider.sid(1), MessageStatus="delivered")

    async def texts() -> list[Any]:
        return list(await sql.fetch(world.engage, "messages_to_prove", slug="main"))

    rows = await texts()
    log = Counter([provider.sid(1), provider.sid(2), "SM" + "f" * 32])
    found = proving.against_log(rows, log)
    assert found.differences == []
    # the provider knows the one in doubt, too, and we do not know what it calls it
    assert (found.counts["taken"], found.counts["unknown to this ledger"]) == (3, 2)
    status = proving.against_status(rows)
    assert status.counts == {"accepted": 1, "of them delivered": 1, "of them not delivered": 0}

    lacking = proving.against_log(rows, Counter([provider.sid(2)]))
    assert [one.what for one in lacking.differences] == ["accepted, not taken"]
    await world.engage.execute("update ledger set state = 'skipped' where state = 'accepted'")
    rows = await texts()
    assert [one.what for one in proving.against_status(rows).differences] == ["taken, not accepted"]
    assert [one.what for one in proving.against_log(rows, log).differences] == [
        "taken, not accepted"
    ]


async def test_text_that_a_person_says_was_sent_is_in_no_log_by_a_name_we_know(
    world: World, provider: Provider
) -> None:
    provider.when(DROP, about="4567")
    await world.walk(await begin(world))
    [message_id] = [row["message_id"] for row in await world.ledger() if row["state"] == "in_doubt"]
    await resolve(world.engage, world.plans, message_id, Said.sent, "Ann", world.now)
    rows = await sql.fetch(world.engage, "messages_to_prove", slug=None)
    found = proving.against_log(rows, Counter([provider.sid(1), provider.sid(2)]))
    assert found.differences == []
    assert found.counts["accepted by a person's word"] == 1
