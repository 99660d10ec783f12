"""Text messages through an HTTP API as Twilio's, with knowledge of the phase.

What broke before the request began to leave can be tried again; what broke after that, until an answer has
come, is in doubt and is not sent again by itself: the API knows no key by which it would drop a
second request. So an answer that may come from something in between (500, 502, 504) leaves a message in doubt too.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.texts import TextMessage
from caravan.delivery.transport import (
    Accepted,
    BeforeContent,
    InDoubt,
    Outgoing,
    Refused,
    Session,
    Verdict,
)

#: where the provider tells what became of messages, at the gateway
STATUS_PATH = "/sms/status"

#: the code of a refusal because the recipient has answered STOP
STOPPED = 21610
#: codes of a refusal because no text can ever reach the number: it is none, or no mobile one
NO_SUCH_NUMBER = (21211, 21614)

#: seconds to connect, and for an answer: giving up on it is what leaves a message in doubt
CONNECT_TIMEOUT = 10.0
ANSWER_TIMEOUT = 60.0
LARGEST = 100_000

#: answers that say that nothing was taken, for now: too many requests, no service, too slow a request,
#: a queue that is full (20429, 21611)
_LATER = (408, 429, 503)
_LATER_CODES = (20429, 21611)
#: answers about us and not about the message: login, money, address; codes about the sender
_OURS = (401, 402, 404, 405)
_OUR_CODES = (20003, 20404, 21212, 21603, 21606, 21659, 21660, 21701, 21702, 21703, 21704, 21705)
#: codes of a 403 that are about the recipient all the same
_OF_MESSAGES = range(21000, 22000)
_NUMBER = re.compile(r"\+?\d(?:[\s().-]?\d){6,}")
_SID = re.compile(r"[A-Za-z0-9]{10,64}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_LONGEST_REPLY = 300
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class SmsProvider:
    """Whose API it is, and who sends.

    Args:
        url: of the API, without its version (SMS_URL).
        account: the account's SID.
        token: its password.
        sender: a number, a short code or a name; or the SID of a messaging service.
        status_url: where the provider says what became of a message; None: it is not asked to.
    """

    url: str
    account: str
    token: str
    sender: str
    status_url: str | None = None

    @property
    def messages_url(self) -> str:
        return f"{self.url.rstrip('/')}/2010-04-01/Accounts/{quote(self.account)}/Messages.json"

    @property
    def is_elsewhere(self) -> bool:
        return urlsplit(self.url).hostname not in _LOOPBACK

    def form(self, message: TextMessage) -> dict[str, str]:
        """What the API is told of a message."""
        service = _SERVICE.fullmatch(self.sender) is not None
        form = {
            "To": message.recipient,
            "MessagingServiceSid" if service else "From": self.sender,
            "Body": message.text,
        }
        # a provider elsewhere refuses a message whose callback only this machine could take
        if self.status_url and not (
            self.is_elsewhere and urlsplit(self.status_url).hostname in _LOOPBACK
        ):
            about = urlencode({"message": message.reference})
            form["StatusCallback"] = f"{self.status_url}?{about}"
        return form


class SmsTransport:
    """A provider, asked over a transport that guards which hosts are called."""

    def __init__(
        self,
        provider: SmsProvider,
        http: httpx.AsyncBaseTransport,
        *,
        not_sent: tuple[type[Exception], ...] = (),
        answer_timeout: float = ANSWER_TIMEOUT,
    ) -> None:
        """``not_sent``: what the transport raises where it would not connect."""
        self.provider = provider
        self._not_sent = not_sent
        self._longest = CONNECT_TIMEOUT + 2 * answer_timeout
        self._client = httpx.AsyncClient(
            transport=http,
            auth=(provider.account, provider.token),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(answer_timeout, connect=CONNECT_TIMEOUT),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "caravan",
            },
        )

    async def close(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Each message is a request of its own."""
        yield self

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        """Hand one text over.

        Raises:
            RelayUnreachable: nothing was taken; names hosts and codes, never numbers or secrets.
        """
        assert isinstance(message, TextMessage)
        left = False

        async def watch(event: str, _info: dict[str, Any]) -> None:
            nonlocal left
            if event == "http11.send_request_headers.started":
                await before_content()
                left = True

        try:
            async with (
                asyncio.timeout(self._longest),
                self._client.stream(
                    "POST",
                    self.provider.messages_url,
                    data=self.provider.form(message),
                    extensions={"trace": watch},
                ) as response,
            ):
                answer = await _read(response)
        except self._not_sent as error:
            raise self._unreachable(str(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            told = type(error).__name__
            if left:
                return InDoubt(f"no answer after the request had left: {told}")
            raise self._unreachable(told) from error
        return self._verdict(response.status_code, answer)

    def _verdict(self, status: int, answer: dict[str, Any]) -> Verdict:
        code = answer.get("code") if isinstance(answer.get("code"), int) else None
        sid = answer.get("sid")
        if 200 <= status < 300:
            if isinstance(sid, str) and _SID.fullmatch(sid):
                return Accepted(f"{sid} {_short(answer.get('status'))}".strip())
            return InDoubt(f"answered {status} without the number of a message")
        told = f"HTTP {status}" + (f", code {code}" if code is not None else "")
        if status in _LATER or code in _LATER_CODES:
            raise self._unreachable(f"asks us to come back later ({told})")
        if self._is_ours(status, code):
            raise self._unreachable(
                f"refuses us ({told}): look at SMS_ACCOUNT, SMS_TOKEN, SMS_FROM and SMS_URL"
            )
        if 400 <= status < 500:
            return Refused(code or status, f"{told}: {_short(answer.get('message'))}")
        return InDoubt(f"answered {told}, which does not say whether the message was taken")

    @staticmethod
    def _is_ours(status: int, code: int | None) -> bool:
        if status in _OURS or code in _OUR_CODES or 300 <= status < 400:
            return True
        return status == 403 and code not in _OF_MESSAGES

    def _unreachable(self, told: str) -> RelayUnreachable:
        host = urlsplit(self.provider.url).hostname
        return RelayUnreachable(f"The SMS provider at {host} (setting SMS_URL): {told}")


async def _read(response: httpx.Response) -> dict[str, Any]:
    """The answer as an object; empty where it is none."""
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > LARGEST:
            return {}
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _short(told: object) -> str:
    """The provider's words, in one line and without the number that they may repeat."""
    text = " ".join(str(told or "").split())
    return _NUMBER.sub("(number)", text)[:_LONGEST_REPLY]
