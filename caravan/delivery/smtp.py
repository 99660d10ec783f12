"""SMTP with knowledge of the phase: what broke before the content began can be tried again, what
broke after that is in doubt until the relay has answered.

Connecting, TLS and login are aiosmtplib's; the DATA dialogue is ours, for only who sees the 354 and
the dot apart can tell the two apart.
"""

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTPException

from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.headers import one_line
from caravan.delivery.transport import (
    Accepted,
    BeforeFinalDot,
    Deferred,
    InDoubt,
    Outgoing,
    Refused,
    Session,
    Verdict,
)

#: before the dot a minute is plenty for a relay of one's own; for the final reply a client waits 10
#: (RFC 5321 §4.5.3.2.6), for giving up on it is what leaves a message in doubt
COMMAND_TIMEOUT = 60.0
FINAL_TIMEOUT = 600.0

_RELAY = re.compile(r"smtps?://(\[[0-9a-fA-F:.]+\]|[^\s\[\]:/]+)(:\d{1,5})?/?")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")
_LONGEST_REPLY = 500
#: hosts that are this machine
LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: replies that are about the relay whatever they answer: it is closing (RFC 5321 §3.8), takes no
#: mail (RFC 7504), wants a login (RFC 4954 §6)
_RELAY_CODES = (421, 521, 530)
#: what MAIL may say about the message, that is its sender or size; any other no means everybody
_SENDER_CODES = (550, 551, 552, 553, 555)


class SmtpTransport:
    """A relay by its address: ``smtp://user:password@host:587`` or ``smtps://host``.

    ``?starttls=1`` insists on STARTTLS with a valid certificate, ``?starttls=0`` forbids it. Without
    either it is used where offered, as encryption without proof, which is more than none; where a
    password would cross the network it is insisted upon.
    """

    def __init__(
        self, url: str, *, timeout: float = COMMAND_TIMEOUT, final_timeout: float = FINAL_TIMEOUT
    ) -> None:
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        starttls = options.pop("starttls", [None])[-1]
        if (
            not _RELAY.fullmatch(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")
            or not parts.hostname
            or options
            or starttls not in (None, "0", "1")
        ):
            raise ValueError(
                "SMTP_URL looks like smtp://host:25, smtp://user:password@host:587?starttls=1"
                " or smtps://user:password@host"
            )
        self.host = parts.hostname
        self.port = parts.port or (465 if parts.scheme == "smtps" else 25)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._tls = parts.scheme == "smtps"
        self._starttls = {None: None, "0": False, "1": True}[starttls]
        if self._tls:
            self._starttls = False
        elif starttls is None and self._password and self.host not in LOOPBACK:
            self._starttls = True
        self._tls_context = ssl.create_default_context()
        if not self._tls and self._starttls is None:
            self._tls_context.check_hostname = False
            self._tls_context.verify_mode = ssl.CERT_NONE
        self._own_name: str | None = None
        self.timeout = timeout
        self.final_timeout = final_timeout

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A conversation; it connects with the first message and again after one that broke."""
        session = _SmtpSession(self)
        try:
            yield session
        finally:
            await session.close()

    async def connect(self) -> aiosmtplib.SMTP:
        """A greeted, and where asked encrypted and logged-in, connection.

        Raises:
            RelayUnreachable: names the address and the setting, never the password.
        """
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self._tls,
            start_tls=self._starttls,
            username=self._username,
            password=self._password,
            timeout=self.timeout,
            tls_context=self._tls_context,
            local_hostname=self._own_name,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise self.unreachable(error) from error
        # asking for it may ask a name server: once is enough
        self._own_name = client.local_hostname
        return client

    def unreachable(self, error: object) -> RelayUnreachable:
        """Goes into workflow histories, so addresses that a relay repeats are left out."""
        told = _ADDRESS.sub("(address)", _cleaned(str(error))) or type(error).__name__
        return RelayUnreachable(
            f"The mail relay {self.host}:{self.port} (setting SMTP_URL) cannot be used: {told}"
        )


class _SmtpSession:
    def __init__(self, relay: SmtpTransport) -> None:
        self._relay = relay
        self._client: aiosmtplib.SMTP | None = None

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None and client.is_connected:
            with suppress(SMTPException, OSError):
                await client.quit(timeout=5)
            client.close()

    async def send(self, message: Outgoing, before_final_dot: BeforeFinalDot) -> Verdict:
        """Hand one message over; see the module for what is tried again and what is not."""
        try:
            client = await self._ready()
            verdict = await self._envelope(client, message)
            if verdict is None:
                await before_final_dot()
                verdict = await self._content(client, message.content)
        except BaseException:
            # break off, wherever the dialogue stands: nothing half said can count as sent
            self._drop()
            raise
        return verdict

    async def _ready(self) -> aiosmtplib.SMTP:
        """A connection at the start of a transaction."""
        if self._client is not None and self._client.is_connected:
            with suppress(SMTPException, OSError):
                await self._client.rset()
                return self._client
            self._drop()
        self._client = await self._relay.connect()
        return self._client

    async def _envelope(self, client: aiosmtplib.SMTP, message: Outgoing) -> Verdict | None:
        """MAIL, RCPT and DATA up to the 354; a verdict where the message ends here."""
        ascii_addresses = (message.recipient + message.envelope_from).isascii()
        utf8 = not (ascii_addresses and message.content.isascii())
        if utf8 and not client.supports_extension("smtputf8"):
            return Refused(553, "the relay cannot take addresses outside ASCII (no SMTPUTF8)")
        # whoever speaks SMTPUTF8 speaks 8BITMIME (RFC 6531 §3.1)
        options = [b"SMTPUTF8", b"BODY=8BITMIME"] if utf8 else []
        commands = (
            (b"MAIL", b"FROM:<" + message.envelope_from.encode() + b">", *options),
            (b"RCPT", b"TO:<" + message.recipient.encode() + b">"),
            (b"DATA",),
        )
        for command in commands:
            try:
                reply = await client.execute_command(*command)
            except (SMTPException, OSError) as error:
                raise self._relay.unreachable(error) from error
            except ValueError:
                return Refused(553, "the address has characters SMTP cannot carry")
            if reply.code // 100 == (3 if command[0] == b"DATA" else 2):
                continue
            verdict = _early_verdict(command[0], reply.code, _cleaned(reply.message))
            if verdict is None:
                raise self._relay.unreachable(
                    f"{reply.code} {reply.message} in answer to {command[0].decode()}"
                )
            return verdict
        return None

    async def _content(self, client: aiosmtplib.SMTP, content: bytes) -> Verdict:
        """The message, the dot, and the reply that decides."""
        protocol = client.protocol
        if protocol is None or not client.is_connected:
            raise self._relay.unreachable("connection lost before the message")
        stuffed = _LEADING_DOT.sub(b"..", content)
        if not stuffed.endswith(b"\r\n"):
            stuffed += b"\r\n"
        try:
            # execute_command refuses line ends, so the reply is announced here as it does there
            protocol._response_pending = True
            protocol.write(stuffed + b".\r\n")
            reply = await protocol.read_response(timeout=self._relay.final_timeout)
        except (SMTPException, OSError) as error:
            self._drop()
            return InDoubt(f"no answer after the message: {_cleaned(str(error))}")
        told = f"{reply.code} {_cleaned(reply.message)}"
        match reply.code // 100:
            case 2:
                return Accepted(told)
            case 4:
                return Deferred(reply.code, told)
            case 5:
                return Refused(reply.code, told)
        self._drop()
        return InDoubt(f"an answer that is none: {told}")

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _early_verdict(command: bytes, code: int, message: str) -> Verdict | None:
    """What a no before the message means for it; None: it is about the relay, and so for everybody."""
    if code in _RELAY_CODES:
        return None
    if command == b"MAIL":
        return Refused(code, f"{code} {message}") if code in _SENDER_CODES else None
    if 500 <= code < 600:
        return Refused(code, f"{code} {message}")
    if 400 <= code < 500:
        return Deferred(code, f"{code} {message}")
    return None


def _cleaned(reply: str) -> str:
    """A reply as a store can keep it: whatever octets the other side sent, one line of text."""
    return one_line(reply)[:_LONGEST_REPLY]
