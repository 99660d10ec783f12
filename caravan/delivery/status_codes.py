"""Enhanced status codes: which of them say that an address will never take mail.

RFC 3463 §3.2 and §3.3 with the registry of RFC 5248. Class 5 is for good; subject 1 is about the address. What
is about the sender's address, the message, the network or a policy says nothing against the recipient's address,
however final it is for the message.
"""

import re

#: a mailbox that is not there, or is shut for good
HARD = {
    "5.1.0": "the address, in a way the host does not say",
    "5.1.1": "no such mailbox",
    "5.1.2": "no such host",
    "5.1.3": "no address by its syntax",
    "5.1.4": "an address that stands for several mailboxes",
    "5.1.6": "the mailbox has moved, nobody knows where",
    "5.1.10": "the domain takes no mail (a null MX, RFC 7505)",
    "5.2.1": "the mailbox is disabled",
}

#: a reply that says the same without a status: the domain takes no mail (RFC 7504 §4)
_TAKES_NO_MAIL = re.compile(r"\s*(?:\w+\s*;\s*)?556(?!\d)")

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
#: a status as a reply has it, behind its code (RFC 2034 §4): 550 5.1.1 …
_IN_REPLY = re.compile(r"\s*(?:\w+\s*;\s*)?(\d{3})[ -]+([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
#: statuses that say no more than that it failed
_VAGUE = frozenset({"4.0.0", "5.0.0"})


def is_hard(status: str | None) -> bool:
    """Whether a status says that the address is to be written to no more."""
    return status in HARD


def read_status(text: str) -> str | None:
    """A status as a report's field has it: alone, or with a comment behind it."""
    found = _STATUS.search(text)
    return _plain(found[1]) if found else None


def status_of_reply(reply: str) -> str | None:
    """The status of an SMTP reply, or None where it has none."""
    found = _IN_REPLY.match(reply)
    if found:
        return _plain(found[2])
    return "5.1.10" if _TAKES_NO_MAIL.match(reply) else None


def more_telling(status: str | None, diagnostic: str | None) -> str | None:
    """Of a report's own status and that of the reply it quotes, the one that says more (RFC 3464 §2.3.4)."""
    quoted = status_of_reply(diagnostic) if diagnostic else None
    return quoted if quoted is not None and (status is None or status in _VAGUE) else status


def _plain(status: str) -> str:
    """Without leading zeros, which some write: 5.01.001."""
    return ".".join(str(int(part)) for part in status.split("."))
