"""Sending rates: how much a relay, a provider of texts, a sender and a mailbox provider bear. What is said of them, pure.

Rates are of the installation, as the relay's address is: they belong to who runs it, not to a workspace.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from caravan.delivery.texts import TextMessage
from caravan.delivery.transport import Outgoing

#: stands for each sender, or each domain, that is not named
EACH = "*"
#: the bucket of all mail, and that of all texts: another network, another provider
ALL, TEXTS = "all", "texts"

_RULE = re.compile(
    r"(all|texts|(?:from|to|texts-from):[^\s=]+)=([0-9]+(?:\.[0-9]+)?)/(s|min|h)", re.IGNORECASE
)
_SECONDS = {"s": 1, "min": 60, "h": 3600}
#: the header, folded or not, and an address at its end
_FROM = re.compile(rb"(?mi)^From:((?:[^\r\n]|\r\n[ \t])*)")
_ADDRESS = re.compile(r"([^\s<>\"]+@[^\s<>\"]+)>?\s*$")


@dataclass(frozen=True)
class Bucket:
    """What counts together, and how many of it may leave in a second."""

    key: str
    per_second: float


class BadRates(ValueError):
    """The setting cannot be read; says which part."""


@dataclass(frozen=True)
class Rates:
    """Rates by what they count: of mail ``all``, ``from:ADDRESS``, ``to:DOMAIN``; of texts ``texts``, ``texts-from:NUMBER``.

    ``*`` stands for each of the others.
    """

    per_second: dict[str, float]

    @classmethod
    def parse(cls, text: str) -> "Rates | None":
        """``all=50/s from:news@us.example=20/s to:gmail.com=600/min texts-from:*=1/s``; None where nothing is said.

        Raises:
            BadRates: a part is not one.
        """
        rates: dict[str, float] = {}
        for part in text.replace(",", " ").split():
            match = _RULE.fullmatch(part)
            if match is None or float(match[2]) <= 0:
                raise BadRates(
                    f"{part} is no rate: all=50/s, from:news@us.example=20/s, to:gmail.com=600/min, to:*=10/s, texts=10/s, texts-from:*=1/s"
                )
            what = match[1].casefold()
            if what in rates:
                raise BadRates(f"{what} has two rates")
            rates[what] = float(match[2]) / _SECONDS[match[3].casefold()]
        return cls(rates) if rates else None

    def buckets(self, message: Outgoing) -> Iterator[Bucket]:
        """The buckets a message is one of, the narrowest first."""
        if isinstance(message, TextMessage):
            yield from self._bucket("texts-from", message.envelope_from)
            if TEXTS in self.per_second:
                yield Bucket(TEXTS, self.per_second[TEXTS])
            return
        if any(what.startswith("to:") for what in self.per_second):
            yield from self._bucket("to", message.recipient.rpartition("@")[2])
        if any(what.startswith("from:") for what in self.per_second):
            yield from self._bucket("from", sender(message.content))
        if ALL in self.per_second:
            yield Bucket(ALL, self.per_second[ALL])

    def _bucket(self, kind: str, who: str) -> Iterator[Bucket]:
        key = f"{kind}:{who.casefold()}"
        rate = self.per_second.get(key, self.per_second.get(f"{kind}:{EACH}"))
        if rate is not None:
            yield Bucket(key, rate)


def turns_of(message: Outgoing) -> int:
    """How many turns a message takes: a text is so many messages of its network, and those are what is counted."""
    return message.segments if isinstance(message, TextMessage) else 1


def sender(content: bytes) -> str:
    """The address that a message is from, which need not be that of its envelope."""
    header = _FROM.search(content)
    shown = header[1].decode("utf-8", "replace").strip() if header else ""
    address = _ADDRESS.search(shown)
    return address[1] if address else ""
