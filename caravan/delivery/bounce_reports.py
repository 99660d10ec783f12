"""Reports about mail that was sent: bounces (DSN, RFC 3464) and complaints (ARF, RFC 5965), as bytes come in.

Whatever comes in is read or refused in words; nothing in it is believed but what it is about, and what it says
of that. Nobody's text is passed on but one line, without addresses.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import Message
from typing import Any, Literal

from caravan.delivery.status_codes import is_hard, more_telling, read_status
from caravan.journeys.unseen import in_one_line

Kind = Literal["hard", "soft", "complaint"]

#: bytes of a report: it may bring the whole message along
LARGEST = 5_000_000
#: what a report may be about; more is nobody's honest report
MOST_RECIPIENTS, MOST_PARTS = 100, 100
_LONGEST_TOLD = 300

#: a Message-ID of ours (caravan.delivery.message.message_id)
_OURS = re.compile(r"<[0-9a-f]{40}@[A-Za-z0-9_.-]{1,255}>", re.IGNORECASE)
#: no control characters, and no octets that were none of UTF-8
_ADDRESS = re.compile(r"{0}+@{0}+".format(r"[^\s<>\[\]();,:\"'\x00-\x20\x7f\ud800-\udfff]"))
#: what a feedback report says where somebody called the mail unwanted; `not-spam` says the opposite
#: (RFC 6430), `auth-failure` is about signatures (RFC 6591)
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "virus", "other"})


class NotAReport(ValueError):
    """The message is no report that we understand; says why."""


@dataclass(frozen=True)
class Report:
    """What a report says of one recipient of one message."""

    kind: Kind
    digest: bytes  # the same for the same report, by whichever way it comes
    message_id: str | None  # of the message it is about
    sent_to: tuple[str, ...]  # where the report went, or the message's return path: one may be ours
    recipient: str | None
    status: str | None
    told: str | None


def read_report(content: bytes) -> list[Report]:
    """What a message reports, by recipient; empty where a report says nothing that is to be noted (a delay).

    Raises:
        NotAReport: it is none.
    """
    if len(content) > LARGEST:
        raise NotAReport(f"is larger than {LARGEST} bytes")
    try:
        message = message_from_bytes(content)
        parts = list(_parts(message))
        feedback = _first(parts, "message/feedback-report")
        delivery = _first(parts, "message/delivery-status", "message/global-delivery-status")
        if feedback is not None:
            return _complaint(message, parts, feedback)
        if delivery is not None:
            return _bounces(message, parts, delivery)
    except NotAReport:
        raise
    # the standard library's parser meets what nobody foresaw in headers and parameters that are none
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotAReport(f"cannot be read ({type(error).__name__})") from None
    raise NotAReport("is neither a delivery status (RFC 3464) nor a feedback report (RFC 5965)")


def _parts(message: Message, *, also_within: bool = False) -> Iterator[Message]:
    """The message and its parts, also those of messages within it where that is said."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        yield part
        if also_within or part.get_content_maintype() == "multipart":
            waiting += _inner(part)


def _inner(part: Message) -> list[Message]:
    payload: Any = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _first(parts: list[Message], *types: str) -> Message | None:
    return next((part for part in parts if part.get_content_type() in types), None)


def _bounces(message: Message, parts: list[Message], delivery: Message) -> list[Report]:
    original = _original(parts)
    sent_to = _sent_to(message)
    reports = []
    groups = [group for group in _groups(delivery) if "action" in group or "status" in group]
    if not groups:
        raise NotAReport("is a delivery status that names no recipient")
    for number, group in enumerate(groups[:MOST_RECIPIENTS]):
        if group.get("action", "failed").split()[:1] not in (["failed"], []):
            continue  # delivered, relayed, expanded, or still tried: nothing has come back
        diagnostic = group.get("diagnostic-code")
        status = more_telling(read_status(group.get("status", "")), diagnostic)
        if status is not None and status.startswith("2"):
            continue
        recipient = _typed(group.get("original-recipient")) or _typed(group.get("final-recipient"))
        reports.append(
            Report(
                kind="hard" if is_hard(status) else "soft",
                digest=_digest(message, "bounce", original, recipient or str(number)),
                message_id=original,
                sent_to=sent_to,
                recipient=recipient,
                status=status,
                told=_told(diagnostic),
            )
        )
    return reports


def _complaint(message: Message, parts: list[Message], feedback: Message) -> list[Report]:
    fields: dict[str, str] = {}
    for group in _groups(feedback):
        fields = group | fields
    kind = fields.get("feedback-type", "").strip().lower()
    if not kind:
        raise NotAReport("is a feedback report without a Feedback-Type")
    if kind not in _COMPLAINTS:
        return []
    original = _original(parts)
    recipient = _bare(fields.get("original-rcpt-to"))
    return [
        Report(
            kind="complaint",
            digest=_digest(message, "complaint", original, recipient or ""),
            message_id=original,
            sent_to=(*_sent_to(message), *_addresses([fields.get("original-mail-from", "")])),
            recipient=recipient,
            status=None,
            told=kind,
        )
    ]


def _groups(part: Message) -> list[dict[str, str]]:
    """The groups of fields in a report's machine-readable part, names in small letters, the first of each."""
    payload: Any = part.get_payload()
    blocks = (
        [one for one in payload if isinstance(one, Message)]
        if isinstance(payload, list)
        else [message_from_string(text) for text in re.split(r"\r?\n\r?\n", str(payload))]
    )
    groups = []
    for block in blocks[: MOST_RECIPIENTS + 1]:
        group: dict[str, str] = {}
        for name, value in block.items():
            group.setdefault(name.strip().lower(), " ".join(str(value).split()))
        # a feedback report is one group, which parsers that know message/* alone leave as a body
        inner: Any = block.get_payload()
        if not group and isinstance(inner, str) and inner.strip():
            group = {
                name.strip().lower(): " ".join(str(value).split())
                for name, value in message_from_string(inner.lstrip()).items()
            }
        groups.append(group)
    return [{**group, "action": group["action"].lower()} if "action" in group else group for group in groups]  # fmt: skip


def _original(parts: list[Message]) -> str | None:
    """The Message-ID of the message that is reported about, where a report brings along its headers."""
    for part in reversed(parts):
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global"):
            texts = [str(one.get("Message-ID", "")) for one in _inner(part)]
        elif kind in ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers"):
            payload = part.get_payload(decode=True)
            text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
            texts = [str(message_from_string(text.lstrip()).get("Message-ID", ""))]
        else:
            continue
        for text in texts:
            if found := _OURS.search(text):
                return found[0]
    return None


def _sent_to(message: Message) -> tuple[str, ...]:
    values = []
    for name in ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To"):
        values += [str(value) for value in message.get_all(name, [])]
    return _addresses(values)


def _addresses(values: list[str]) -> tuple[str, ...]:
    found = (address for value in values for address in _ADDRESS.findall(value[:2000]))
    return tuple(dict.fromkeys(found))[:20]


def _typed(value: str | None) -> str | None:
    """An address behind its type: ``rfc822; ada@acme.example`` (RFC 3464 §2.3.1)."""
    if value is None:
        return None
    kind, semicolon, address = value.partition(";")
    return _bare(address if semicolon and kind.strip().lower() in ("rfc822", "utf-8") else value)


def _bare(value: str | None) -> str | None:
    found = _ADDRESS.search(value or "")
    return found[0] if found and len(found[0]) <= 320 else None


def _told(text: str | None) -> str | None:
    """The other side's words in one line, without addresses: they may be another's than the recipient's."""
    if text is None:
        return None
    return " ".join(_ADDRESS.sub("(address)", in_one_line(text)).split())[:_LONGEST_TOLD]


def _digest(message: Message, what: str, original: str | None, recipient: str) -> bytes:
    """A report is the same by whichever way it came: its own Message-ID says which, else what it contains."""
    own = str(message.get("Message-ID") or "").strip()
    if not own:
        own = "\x00".join(
            [
                str(message.get("Date") or ""),
                *(str(part.get_payload()) for part in _leaves(message)),
            ]
        )
    said = "\x00".join((what, own, original or "", recipient.casefold()))
    return hashlib.sha256(said.encode("utf-8", "replace")).digest()


def _leaves(message: Message) -> Iterator[Message]:
    return (
        part
        for part in _parts(message, also_within=True)
        if not isinstance(part.get_payload(), list)
    )
