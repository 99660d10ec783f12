"""A mail relay on loopback that misbehaves where it is told to: a real SMTP server, ours to break."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes

from caravan.delivery.smtp import SmtpTransport

DROP = "drop"  # close the connection instead of answering
HANG = "hang"  # do not answer at all


@dataclass
class Fault:
    """What to say at a phase instead of the usual; ``times`` None: always."""

    phase: str  # CONNECT, EHLO, MAIL, RCPT, DATA, READY (after the 354), DOT, RSET
    reply: str
    times: int | None
    about: str  # part of the command, at DOT of the recipient


class Relay:
    """``mails`` are the recipients and Message-IDs it took responsibility for, in order."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []
        self.contents: list[bytes] = []
        self.connections = 0
        self.hung_up = 0
        self.extensions: tuple[str, ...] = ("8BITMIME",)
        self.certificate: ssl.SSLContext | None = None  # with one it speaks TLS
        self.encrypted = 0
        self.port = 0
        self._faults: list[Fault] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Condition()

    async def start(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and hang up on everybody."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    @property
    def behaves(self) -> bool:
        """Nothing that it was told to get wrong is left."""
        return not any(fault.times for fault in self._faults)

    def transport(self, options: str = "") -> SmtpTransport:
        return SmtpTransport(f"smtp://127.0.0.1:{self.port}{options}", timeout=1, final_timeout=1)

    def when(self, phase: str, reply: str, *, times: int | None = 1, about: str = "") -> None:
        self._faults.append(Fault(phase, reply, times, about))

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become true of the mails or the connections."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(true)

    async def tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _answer(self, phase: str, usual: str, about: str = "") -> str:
        for fault in self._faults:
            if fault.phase == phase and fault.about in about and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault.reply
        return usual

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            await _Conversation(self, reader, writer).run()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            self.hung_up += 1
            await self.tell()


class _HungUp(ConnectionError):
    """We close the connection."""


class _Conversation:
    def __init__(
        self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.relay, self.reader, self.writer = relay, reader, writer
        self.recipient = ""

    async def run(self) -> None:
        await self.say("CONNECT", "220 relay")
        while line := (await self.reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                offers = list(self.relay.extensions)
                if self.relay.certificate is not None:
                    offers.append("STARTTLS")
                usual = "\r\n250-".join(["250-relay", *offers])
                await self.say("EHLO", f"{usual}\r\n250 HELP")
            elif verb == "DATA":
                await self.data()
            elif verb == "STARTTLS" and self.relay.certificate is not None:
                await self.say("STARTTLS", "220 go on")
                await self.writer.start_tls(self.relay.certificate)
                self.relay.encrypted += 1
            elif verb == "QUIT":
                await self.say("QUIT", "221 bye")
                return
            else:
                if verb == "RCPT":
                    self.recipient = line.partition("<")[2].partition(">")[0]
                await self.say(verb, "250 ok", line)

    async def data(self) -> None:
        said = await self.say("DATA", "354 go on", self.recipient)
        if not said.startswith("354"):
            return
        if self.relay._answer("READY", "", self.recipient) == DROP:
            raise _HungUp
        content = await self.reader.readuntil(b"\r\n.\r\n")
        said = self.relay._answer("DOT", "250 queued", self.recipient)
        if said in (DROP, HANG) or said.startswith("2"):
            # a relay that falls silent has the message: whoever sends it again sends it twice
            unstuffed = content[:-3].replace(b"\r\n..", b"\r\n.")
            self.relay.contents.append(unstuffed)
            self.relay.mails.append((self.recipient, message_from_bytes(unstuffed)["Message-ID"]))
            await self.relay.tell()
        await self.utter(said)

    async def say(self, phase: str, usual: str, about: str = "") -> str:
        said = self.relay._answer(phase, usual, about)
        await self.utter(said)
        return said

    async def utter(self, said: str) -> None:
        if said == DROP:
            raise _HungUp
        if said == HANG:
            await self.reader.read()  # until the other side has had enough
            raise _HungUp
        self.writer.write(said.encode("utf-8", "surrogateescape") + b"\r\n")
        await self.writer.drain()
        if said.startswith("421"):
            raise _HungUp
