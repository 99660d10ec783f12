"""MIME: a rendered mail as bytes. The same input gives the same bytes, data can inject nothing.

The message is always the same shape (a text and its HTML alternative), so it is written here rather
than built as a tree of ``email.message`` objects, at a tenth of the cost. The wire is ASCII with
lines within RFC 5322's limit; only an address outside ASCII makes its header UTF-8 (RFC 6532), and
then the message can go by SMTPUTF8 alone.
"""

import hashlib
from base64 import encodebytes
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from caravan.delivery.headers import mailbox, unstructured

_PRINTABLE = bytes([0x09, 0x0A, *range(0x20, 0x7F)])
# what a relay or a mailbox may change or misread in a line: an envelope, blank ends, a boundary
# (one that begins =_ cannot occur in quoted-printable or base64, RFC 2045 §6.7)
_MISREAD = (b"\nFrom ", b" \n", b"\t\n", b"\n--=_")
_LONGEST_LINE = 998  # RFC 5322 §2.1.1


@dataclass(frozen=True)
class Sender:
    """Who a mail is from."""

    name: str
    email: str
    reply_to: str | None = None


@dataclass(frozen=True)
class Rendered:
    """A mail's texts, with the data in them."""

    subject: str
    html: str
    text: str


def message_id(key: str, domain: str) -> str:
    """A Message-ID derived from what the message is: every try of it bears the same."""
    if not domain:
        domain = "caravan.invalid"  # a workspace may leave the sender to its templates
    if not domain.isascii():
        domain = (
            domain.encode("punycode").decode() + ".invalid"
        )  # ids compare, nobody resolves them
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def mime(
    rendered: Rendered,
    *,
    sender: Sender,
    to_address: str,
    identity: str,
    at: datetime,
    unsubscribe_link: str | None,
    further: str = "",
) -> bytes:
    """The message as bytes with CRLF line ends.

    Args:
        rendered: its texts.
        sender: who it is from, with mailable addresses.
        to_address: a mailable address.
        identity: its Message-ID.
        at: its Date.
        unsubscribe_link: for List-Unsubscribe (RFC 2369); one-click (RFC 8058) where it is https.
        further: header fields, each ending in CRLF.
    """
    boundary = f"=_{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
    fields = [
        mailbox("From", sender.name, sender.email),
        mailbox("To", None, to_address),
        mailbox("Reply-To", None, sender.reply_to) if sender.reply_to else "",
        unstructured("Subject", rendered.subject),
        f"Date: {format_datetime(at)}\r\n",
        f"Message-ID: {identity}\r\n",
    ]
    if unsubscribe_link:
        fields.append(f"List-Unsubscribe: <{unsubscribe_link}>\r\n")
        if unsubscribe_link.startswith("https:"):
            fields.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    fields.append(further)
    fields.append("MIME-Version: 1.0\r\n")
    fields.append(f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n')
    head = "".join(fields).encode()
    delimiter = b"\r\n--" + boundary.encode()
    # the last alternative is the one to show, if a reader can (RFC 2046 §5.1.4)
    parts = _part("plain", rendered.text), _part("html", rendered.html)
    return head + b"".join(delimiter + b"\r\n" + part for part in parts) + delimiter + b"--\r\n"


def _part(subtype: str, text: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    encoding, body = _encoded(lines.encode("utf-8", "replace"))
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode() + body


def _encoded(lines: bytes) -> tuple[str, bytes]:
    """Lines that end in LF as any relay takes them, in the most readable way that is not wasteful."""
    outside = len(lines.translate(None, _PRINTABLE))
    if (
        not outside
        and not any(misread in b"\n" + lines + b"\n" for misread in _MISREAD)
        and max(map(len, lines.split(b"\n"))) <= _LONGEST_LINE
    ):
        return "7bit", lines.replace(b"\n", b"\r\n")
    # three octets for one outside ASCII, against four for any three
    if outside * 4 <= len(lines):
        return "quoted-printable", b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")
    return "base64", encodebytes(lines.replace(b"\n", b"\r\n")).replace(b"\n", b"\r\n")
