"""Links of a message: signed tokens that name the message by its number, and nobody at all.

A token says what it is for, which key signed it, the subscription, the message's number and, for a
click, the link's own address; a MAC covers all of it. So where a click leads is what we wrote when we
sent it, and nothing has to be looked up to know it. docs/decisions/0015 says why so.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

#: octets of a MAC (HMAC-SHA256, truncated to 128 bits: RFC 2104 §5) and of a key's id
_MAC, _KEY_ID = 16, 4
_MOST_NUMBER = 2**63 - 1
_SHORTEST_KEY = 32
#: of an address that a token carries; a longer one is left untracked (RFC 9110 §4.1 asks for 8,000
#: octets of a whole request line, and proxies of mailboxes take fewer)
LONGEST_URL = 2000
LONGEST_TOKEN = 3000


class LinkKind(StrEnum):
    """What a link does; its value is the path it stands under."""

    OPENED = "o"
    CLICKED = "c"
    UNSUBSCRIBE = "u"
    VIEW = "v"


class BadLinkKeys(ValueError):
    """LINK_KEYS cannot be used."""


@dataclass(frozen=True)
class Link:
    """What a token that we signed says."""

    kind: LinkKind
    munchkin: str
    message_number: int
    url: str | None = None  # of a click


class LinkKeys:
    """The keys that sign links: the newest signs, all verify.

    A link in a mail is followed for a year and longer: an old key is kept behind the new one as long.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """``keys`` are secrets, the newest first.

        Raises:
            BadLinkKeys: there is none, or one is short enough to be guessed.
        """
        if not keys or any(len(key) < _SHORTEST_KEY for key in keys):
            raise BadLinkKeys(f"each of LINK_KEYS has at least {_SHORTEST_KEY} characters")
        self._by_id = {_key_id(key): key.encode() for key in reversed(keys)}
        self._newest = _key_id(keys[0])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Keys separated by commas or white space, the newest first.

        Raises:
            BadLinkKeys: as above.
        """
        return cls(text.replace(",", " ").split())

    def sign(self, link: Link) -> str:
        """The token of a link.

        Raises:
            ValueError: it has a number that no message has, or names that are too long.
        """
        munchkin = link.munchkin.encode()
        if not 0 < link.message_number <= _MOST_NUMBER or not 0 < len(munchkin) < 256:
            raise ValueError("no message has such a number, or no subscription such a name")
        number = link.message_number.to_bytes((link.message_number.bit_length() + 7) // 8)
        body = b"".join(
            (
                link.kind.value.encode(),
                self._newest,
                bytes([len(munchkin)]),
                munchkin,
                bytes([len(number)]),
                number,
                (link.url or "").encode(),
            )
        )
        return _text(body + _mac(self._by_id[self._newest], body))

    def read(self, token: str, kind: LinkKind) -> Link | None:
        """What a token says; None where it is not of this kind, not whole, or not signed by us."""
        octets = _octets(token)
        if octets is None or len(octets) < 1 + _KEY_ID + _MAC:
            return None
        body, mac = octets[:-_MAC], octets[-_MAC:]
        key = self._by_id.get(body[1 : 1 + _KEY_ID])
        # a key that we do not have takes as long as one that we have
        signed = hmac.compare_digest(_mac(key or b"\x00", body), mac)
        if key is None or not signed or body[:1] != kind.value.encode():
            return None
        return _link(kind, body[1 + _KEY_ID :])


@dataclass(frozen=True)
class MailLinks:
    """The links of one subscription's messages, each under the gateway's address for the outside."""

    public_url: str
    munchkin: str
    keys: LinkKeys

    def unsubscribe(self, message_number: int) -> str:
        """Where the recipient says that they want no more."""
        return self._url(LinkKind.UNSUBSCRIBE, message_number)

    def view(self, message_number: int) -> str:
        """The message as a web page."""
        return self._url(LinkKind.VIEW, message_number)

    def opened(self, message_number: int) -> str:
        """A picture of one pixel, which is fetched when the message is shown."""
        return self._url(LinkKind.OPENED, message_number)

    def clicked(self, message_number: int, url: str) -> str:
        """A way to ``url`` that is noted."""
        return self._url(LinkKind.CLICKED, message_number, url)

    def _url(self, kind: LinkKind, message_number: int, url: str | None = None) -> str:
        token = self.keys.sign(Link(kind, self.munchkin, message_number, url))
        return f"{self.public_url}/{kind.value}/{token}"


#: the links of a subscription, by its munchkin
LinksOf = Callable[[str], MailLinks]


def links_of(public_url: str, keys: LinkKeys) -> LinksOf:
    """The links of any subscription."""
    return lambda munchkin: MailLinks(public_url.rstrip("/"), munchkin, keys)


def _link(kind: LinkKind, rest: bytes) -> Link | None:
    # signed by us, so it is well formed; a key that leaked must still break nothing
    munchkin, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    number, url = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    if (kind is LinkKind.CLICKED) != bool(url):
        return None
    return Link(kind, munchkin.decode(), int.from_bytes(number), url.decode() or None)


def _key_id(key: str) -> bytes:
    return hashlib.sha256(b"caravan link key\x00" + key.encode()).digest()[:_KEY_ID]


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, b"caravan link\x00" + body, hashlib.sha256)[:_MAC]


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _octets(token: str) -> bytes | None:
    """The octets of a token; one text alone stands for them, so a token cannot be said otherwise."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    try:
        octets = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    return octets if _text(octets) == token else None
