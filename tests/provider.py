"""A provider of text messages on loopback that follows Twilio's Messages resource and checks what it receives.

It misbehaves where it is told to, as ``tests/relay.py`` does, and signs its callbacks as the provider does.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import httpx

from caravan.delivery.sms import SmsProvider, SmsTransport

ACCOUNT = "AC" + "0" * 32
TOKEN = "a-token-nobody-knows"
SENDER = "+15005550006"

DROP = "drop"  # close the connection instead of answering
HANG = "hang"  # do not answer at all


@dataclass
class Fault:
    """What to answer instead of 201: a status with a code, or a way of not answering."""

    answer: str | tuple[int, int | None]
    times: int | None
    about: str  # part of the number


class Provider:
    """``texts`` are the (number, text) it took responsibility for; ``wrong`` what broke the API's rules."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.callbacks: list[str] = []
        self.wrong: list[str] = []
        self.requests = 0
        self.token = TOKEN
        self.port = 0
        self._faults: list[Fault] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def transport(self, **how: Any) -> SmsTransport:
        """A transport that talks to it."""
        status_url = how.pop("status_url", None)
        provider = SmsProvider(self.url, ACCOUNT, TOKEN, how.pop("sender", SENDER), status_url)
        http = how.pop("http", None) or httpx.AsyncHTTPTransport(
            verify=False, trust_env=False, retries=0
        )
        return SmsTransport(provider, http, **{"answer_timeout": 1.0, **how})

    def when(
        self, answer: str | tuple[int, int | None], *, times: int | None = 1, about: str = ""
    ) -> None:
        """DROP, HANG, ``"raw …"`` for a body that is none, or a status and a code."""
        self._faults.append(Fault(answer, times, about))

    def _fault(self, number: str) -> str | tuple[int, int | None] | None:
        for fault in self._faults:
            if fault.about in number and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault.answer
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests += 1
        form = {key: value for key, [value] in parse_qs(body.decode(), strict_parsing=True).items()}
        refusal = self._judged(first, headers, form)
        answer = refusal or self._fault(form.get("To", "")) or (201, None)
        taken = answer in (DROP, HANG) or isinstance(answer, str) or answer[0] < 400
        if taken:
            # one that falls silent has the message: whoever sends it again sends it twice
            self.texts.append((form["To"], form["Body"]))
            self.callbacks.append(form.get("StatusCallback", ""))
        if answer == DROP:
            return False
        if answer == HANG:
            await reader.read()
            return False
        if isinstance(answer, str):
            self._say(writer, 201, answer.removeprefix("raw ").encode())
        else:
            self._say(writer, answer[0], self._resource(form, *answer))
        await writer.drain()
        return True

    def _judged(
        self, first: str, headers: dict[str, str], form: dict[str, str]
    ) -> tuple[int, int | None] | None:
        if first != f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1":
            self.wrong.append(first)
            return 404, 20404
        login = base64.b64encode(f"{ACCOUNT}:{self.token}".encode()).decode()
        if headers.get("authorization") != f"Basic {login}":
            return 401, 20003
        if headers.get("content-type") != "application/x-www-form-urlencoded":
            self.wrong.append(f"content type {headers.get('content-type')}")
        if not form.get("To", "").startswith("+") or not form["To"][1:].isdigit():
            self.wrong.append(f"to {form.get('To')}")
            return 400, 21211
        if not 0 < len(form.get("Body", "")) <= 1600:
            self.wrong.append("the length of the body")
            return 400, 21617
        if ("From" in form) == ("MessagingServiceSid" in form):
            self.wrong.append("no sender, or two")
            return 400, 21603
        return None

    def _resource(self, form: dict[str, str], status: int, code: int | None) -> bytes:
        if status < 400:
            told: dict[str, Any] = {"sid": self.sid(len(self.texts)), "status": "queued"}
        else:
            told = {
                "code": code,
                "message": f"The number {form['To']} does not fit",
                "status": status,
            }
        return json.dumps(told).encode()

    @staticmethod
    def sid(number: int) -> str:
        """The SID of the first message it took, the second …"""
        return f"SM{number:032x}"

    @staticmethod
    def _say(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)


def signature(url: str, form: dict[str, str], token: str = TOKEN) -> str:
    """What X-Twilio-Signature says of a callback, written anew here from the provider's documentation."""
    said = url + "".join(key + form[key] for key in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()
