"""The phases of a text message: what surely did not leave, what is in doubt, what the answers mean."""

from collections.abc import AsyncIterator

import httpx
import pytest

from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.sms import SmsProvider, SmsTransport
from caravan.delivery.texts import text_message
from caravan.delivery.transport import Accepted, InDoubt, Refused, Verdict
from caravan.services.errors import ServiceError
from caravan.services.hosts import AllowedHosts
from caravan.services.http import GuardedTransport
from tests.provider import ACCOUNT, DROP, HANG, SENDER, TOKEN, Provider

MESSAGE = text_message(
    SENDER, "+46701234567", "Grüße & 100 % +1 €", "<0123abcd@us.example>", "123-GRD-456/7"
)


class Word:
    """Counts how often the ledger was asked for its last word."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> None:
        self.asked += 1


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    new = Provider()
    await new.start()
    yield new
    await new.stop()
    assert new.wrong == []


async def sent(transport: SmsTransport, word: Word) -> Verdict:
    try:
        async with transport.session() as session:
            return await session.send(MESSAGE, word)
    finally:
        await transport.close()


async def test_what_is_taken_is_named_by_its_sid(provider: Provider) -> None:
    word = Word()
    verdict = await sent(provider.transport(), word)
    assert verdict == Accepted(f"{provider.sid(1)} queued")
    assert provider.texts == [("+46701234567", "Grüße & 100 % +1 €")]
    assert word.asked == 1


async def test_provider_is_told_where_to_call_back(provider: Provider) -> None:
    await sent(provider.transport(status_url="http://127.0.0.1:1/sms/status"), Word())
    assert provider.callbacks == ["http://127.0.0.1:1/sms/status?message=123-GRD-456%2F7"]


def test_callback_of_this_machine_alone_is_not_told_to_a_provider_elsewhere() -> None:
    elsewhere = SmsProvider("https://sms.example", ACCOUNT, TOKEN, "Us", "http://localhost:8088/x")
    assert "StatusCallback" not in elsewhere.form(MESSAGE)


async def test_messaging_service_stands_in_for_a_number(provider: Provider) -> None:
    assert isinstance(await sent(provider.transport(sender="MG" + "a" * 32), Word()), Accepted)


@pytest.mark.parametrize("fault", [DROP, HANG, "raw not json", 'raw {"sid": 7}'])
async def test_no_answer_after_the_request_left_is_doubt(provider: Provider, fault: str) -> None:
    provider.when(fault)
    word = Word()
    assert isinstance(await sent(provider.transport(), word), InDoubt)
    assert word.asked == 1
    assert len(provider.texts) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_answer_of_what_may_stand_between_is_doubt(provider: Provider, status: int) -> None:
    provider.when((status, None))
    assert isinstance(await sent(provider.transport(), Word()), InDoubt)


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (503, None), (400, 21611), (408, None)])
async def test_later_is_nothing_taken(provider: Provider, status: int, code: int | None) -> None:
    provider.when((status, code))
    with pytest.raises(RelayUnreachable, match="later"):
        await sent(provider.transport(), Word())
    assert provider.texts == []


@pytest.mark.parametrize(
    ("status", "code"), [(401, 20003), (404, 20404), (403, None), (402, None), (400, 21606)]
)
async def test_no_that_is_about_us_is_the_operators(
    provider: Provider, status: int, code: int | None
) -> None:
    provider.when((status, code))
    with pytest.raises(RelayUnreachable, match="SMS_TOKEN") as raised:
        await sent(provider.transport(), Word())
    assert "4670" not in str(raised.value)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "code"), [(400, 21610), (400, 21614), (403, 21408), (400, None)]
)
async def test_no_that_is_about_the_message_is_refused(
    provider: Provider, status: int, code: int | None
) -> None:
    provider.when((status, code))
    verdict = await sent(provider.transport(), Word())
    assert isinstance(verdict, Refused)
    assert verdict.code == (code or status)
    assert "4670" not in verdict.reply  # the number that the provider repeats


async def test_nobody_there_is_nothing_left(provider: Provider) -> None:
    transport = provider.transport()
    await provider.stop()
    word = Word()
    with pytest.raises(RelayUnreachable):
        await sent(transport, word)
    assert word.asked == 0


async def test_overtaken_message_does_not_leave(provider: Provider) -> None:
    class Overtaken(Exception):
        pass

    async def no() -> None:
        raise Overtaken

    transport = provider.transport()
    async with transport.session() as session:
        with pytest.raises(Overtaken):
            await session.send(MESSAGE, no)
        assert provider.requests == 0
        # and the next one goes
        assert isinstance(await session.send(MESSAGE, Word()), Accepted)
    await transport.close()


async def test_host_that_is_not_allowed_is_not_called(provider: Provider) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    for allowed, url in (
        ("sms.example", provider.url),
        (f"sms.example:{provider.port}", f"http://sms.example:{provider.port}"),
    ):
        guarded = GuardedTransport(
            AllowedHosts.parse(allowed), resolve, lambda: httpx.AsyncHTTPTransport(trust_env=False)
        )
        transport = SmsTransport(
            SmsProvider(url, ACCOUNT, TOKEN, "Us"), guarded, not_sent=(ServiceError,)
        )
        word = Word()
        with pytest.raises(RelayUnreachable):
            await sent(transport, word)
        assert word.asked == 0
    assert provider.requests == 0
