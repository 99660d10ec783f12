"""SMTP with knowledge of the phase: what broke before the content began can be tried again, what
broke after that is in doubt until the relay has answered.

Connecting, TLS and login are aiosmtplib's; the DATA dialogue is ours, for only who sees the 354 and
the dot apart can tell the two apart.
"""

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from time import monotonic
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTPException

from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.headers import one_line
from caravan.delivery.transport import (
    Accepted,
    BeforeContent,
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
#: seconds after which a connection that was left alone is asked whether it still is one
ASKED_ANEW = 1.0

_RELAY = re.compile(r"smtps?://(\[[0-9a-fA-F:.]+\]|[^\s\[\]:/]+)(:\d{1,5})?/?")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")
_LONGEST_REPLY = 500
#: whether the way to a relay is encrypted, as SMTP_TLS says it
Tls = Literal["required", "opportunistic", "none"]
#: replies that are about the relay whatever they answer: it is closing (RFC 5321 §3.8), takes no
#: mail (RFC 7504), wants a login (RFC 4954 §6)
_RELAY_CODES = (421, 521, 530)
#: what MAIL may say about the message, that is its sender or size; any other no means everybody
_SENDER_CODES = (550, 551, 552, 553, 555)


class SmtpTransport:
    """A relay by its address: ``smtp://user:password@host:587`` or ``smtps://host``.

    TLS with a certificate that is verified is insisted upon unless the relay is on this machine; a private
    network is no exception, for who listens there nobody has proved. ``tls`` says otherwise:
    ``opportunistic`` encrypts where that is offered, without proof, which is more than nothing; ``none`` does
    not. Where a password would cross the network only ``none`` gives up the proof. In the address
    ``?starttls=1`` is ``required`` and ``?starttls=0`` is ``none``. Port 25 or 587 begins in the clear and turns
    to TLS (RFC 3207), ``smtps`` is TLS from the first byte (RFC 8314 §3.3).
    """

    def __init__(
        self,
        url: str,
        *,
        tls: Tls | None = None,
        timeout: float = COMMAND_TIMEOUT,
        final_timeout: float = FINAL_TIMEOUT,
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
        self._tls_at_once = parts.scheme == "smtps"
        demanded = _demanded(starttls, tls)
        if self._tls_at_once and demanded == "none":
            raise ValueError("SMTP_TLS=none and starttls=0 contradict smtps:// in SMTP_URL")
        here = is_loopback(self.host)
        if demanded is None:
            demanded = "opportunistic" if here and not self._tls_at_once else "required"
        elif demanded == "opportunistic" and self._password and not here:
            demanded = "required"
        self._demanded: Tls = demanded
        self._starttls = {"required": True, "opportunistic": None, "none": False}[demanded]
        if self._tls_at_once:
            self._starttls = False
        self._tls_context = (
            ssl.create_default_context() if demanded == "required" else _of_whomever()
        )
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
            use_tls=self._tls_at_once,
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
        if self._demanded == "required" and isinstance(error, Exception):
            told += _remedy(error)
        return RelayUnreachable(
            f"The mail relay {self.host}:{self.port} (setting SMTP_URL) cannot be used: {told}"
        )


def _of_whomever() -> ssl.SSLContext:
    """Encrypts and checks nobody: without the system's certificates, which take long to load."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _demanded(starttls: str | None, tls: Tls | None) -> Tls | None:
    """What the address and the setting say together; None: neither says anything."""
    by_address: dict[str | None, Tls] = {"0": "none", "1": "required"}
    said = by_address.get(starttls)
    if said is not None and tls is not None and said != tls:
        raise ValueError(
            f"SMTP_TLS={tls} contradicts starttls={starttls} in SMTP_URL: leave one away"
        )
    return said or tls


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _remedy(error: Exception) -> str:
    """What to do where encryption is what is missing; a password is never to go without."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, ssl.SSLCertVerificationError):
            return (
                "; its certificate cannot be verified: name the relay as the certificate does, have its"
                " authority trusted here (SSL_CERT_FILE), or set SMTP_TLS=opportunistic to do without proof"
            )
        chain = chain.__cause__ or chain.__context__
    if "STARTTLS" in str(error):
        return (
            "; mail leaves this machine encrypted or not at all: use a port of the relay that offers TLS, or"
            " set SMTP_TLS=none (opportunistic: encrypted where it can be)"
        )
    return ""


class _SmtpSession:
    def __init__(self, relay: SmtpTransport) -> None:
        self._relay = relay
        self._client: aiosmtplib.SMTP | None = None
        self._clear_at: float | None = None  # when its last message ended, as a dialogue should
        self._said = b""

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None and client.is_connected:
            with suppress(SMTPException, OSError):
                await client.quit(timeout=5)
            client.close()

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        """Hand one message over; see the module for what is tried again and what is not."""
        try:
            client, verdict = await self._announce(message)
            if verdict is None:
                await before_content()
                verdict = await self._content(client, message.content)
        except BaseException:
            # break off, wherever the dialogue stands: nothing half said can count as sent
            self._drop()
            raise
        return verdict

    async def _announce(self, message: Outgoing) -> tuple[aiosmtplib.SMTP, Verdict | None]:
        """The envelope, on a connection that takes it.

        Right behind a message that ended well the relay need not be asked first whether it is still there;
        where it is not after all, a new connection is, as it would have been then.
        """
        clear_at, self._clear_at = self._clear_at, None
        client = self._client
        if client is not None and clear_at is not None and monotonic() - clear_at < ASKED_ANEW:
            try:
                return client, await self._envelope(client, message)
            except RelayUnreachable:
                if self._said != b"MAIL":
                    raise
                self._drop()
        client = await self._ready()
        return client, await self._envelope(client, message)

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
            self._said = command[0]
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
        self._clear_at = monotonic()
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
