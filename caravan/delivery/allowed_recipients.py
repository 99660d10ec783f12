"""Who may be written to at all while Caravan is on trial: these domains and these addresses, nobody else.

The setting is for whoever tries journeys with real data, so in doubt an address is not allowed: a domain is
compared as the name it is (RFC 5890: ``xn--…`` and its Unicode form are one), in no case and without its
subdomains, and letters that merely look alike are not alike.
"""

import unicodedata
from dataclasses import dataclass
from typing import Self

from caravan.journeys.addresses import is_mailable


class BadRecipients(ValueError):
    """ALLOW_RECIPIENTS cannot be read."""


@dataclass(frozen=True)
class AllowedRecipients:
    """Domains and addresses, as they are compared."""

    domains: frozenset[str]
    addresses: frozenset[tuple[str, str]]  # local part and domain
    written: str  # as the operator wrote it

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``@us.example, person@x.example``: domains and addresses, by commas or white space.

        Raises:
            BadRecipients: one of them is neither, or there is none.
        """
        domains: set[str] = set()
        addresses: set[tuple[str, str]] = set()
        entries = text.replace(",", " ").split()
        for entry in entries:
            local, at, domain = entry.rpartition("@")
            if not at or not is_mailable(f"{local or 'anybody'}@{domain}"):
                raise BadRecipients(f"{entry!r} is neither an address nor @domain")
            if local:
                addresses.add((_folded(local), _name(domain)))
            else:
                domains.add(_name(domain))
        if not entries:
            raise BadRecipients("it allows nobody; leave it away to allow everybody")
        return cls(frozenset(domains), frozenset(addresses), ", ".join(entries))

    def allows(self, address: str) -> bool:
        """Whether this address is one of them."""
        local, _, domain = address.rpartition("@")
        name = _name(domain)
        return bool(local) and (name in self.domains or (_folded(local), name) in self.addresses)


def _name(domain: str) -> str:
    return ".".join(_label(label) for label in domain.split("."))


def _label(label: str) -> str:
    folded = _folded(label)
    if folded.startswith("xn--"):
        try:
            return _folded(folded.removeprefix("xn--").encode("ascii").decode("punycode"))
        except UnicodeError:
            return folded
    return folded


def _folded(text: str) -> str:
    # lower(), not casefold(): straße.example and strasse.example are two domains
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
