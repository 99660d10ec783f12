"""What a suppression is of, as one text that is found by key: an address, a domain, a telephone number.

An address is compared without case (as ``deduplicate_email`` does), its domain as the name service writes it; a
domain covers the names beneath it. A number is compared as E.164 writes it.
"""

import re
from typing import Literal

from caravan.journeys.addresses import is_mailable

#: why something is suppressed: it does not exist; whose it is called a mail of ours unwanted; whose it is has
#: opted out; somebody of ours wants nothing sent there
Reason = Literal["hard_bounce", "complaint", "opt_out", "blocked"]
REASONS: tuple[Reason, ...] = ("hard_bounce", "complaint", "opt_out", "blocked")

_FILLING = re.compile(r"[\s().\-/\u2010-\u2015\u00a0]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def address_key(address: str) -> str:
    """An address as it is compared."""
    local, _, domain = address.strip().rpartition("@")
    return f"{local.casefold()}@{domain_key(domain)}"


def domain_key(domain: str) -> str:
    """A domain as it is compared: A-labels (RFC 5890), small letters, no dot behind it."""
    domain = domain.strip().rstrip(".")
    if domain.isascii():
        return domain.lower()
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain.casefold()


def keys_of(address: str) -> list[str]:
    """The subjects that suppress an address: itself, its domain, and those above it."""
    key = address_key(address)
    labels = key.rpartition("@")[2].split(".")
    return [key, *(".".join(labels[first:]) for first in range(max(1, len(labels) - 1)))]


def phone_key(number: str) -> str | None:
    """A number in E.164, or None where it is none: ``0046 70-123 45 67`` is ``+46701234567``."""
    digits = _FILLING.sub("", number)
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    return digits if _E164.fullmatch(digits) else None


def read_subject(text: str) -> str:
    """An address, a domain (also as ``@domain``) or a number as a person writes it, as it is kept.

    Raises:
        ValueError: it is none of them; says so.
    """
    text = text.strip()
    if "@" in text.removeprefix("@"):
        if not is_mailable(text):
            raise ValueError("is no e-mail address")
        return address_key(text)
    if text.startswith(("+", "00")) and (number := phone_key(text)):
        return number
    domain = domain_key(text.removeprefix("@"))
    if "." not in domain or not is_mailable(f"x@{domain}"):
        raise ValueError("is no e-mail address, domain or telephone number (+46701234567)")
    return domain
