"""Which records a rule says are one: what they are found by, and the clusters that come of it. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from caravan.journeys.addresses import is_mailable
from caravan.journeys.suppressing import address_key, domain_key

_PUNCTUATION = re.compile(r"[^\w]+")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Rule:
    """A rule as the sandbox has it."""

    slug: str
    match: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """Two records that are one by a rule."""

    rule: str
    record_id: int
    like_id: int
    values: str = ""  # that they share, normalised


@dataclass
class Clusters:
    """Records that are one, as they are and as matches make them.

    The one with the lowest number stands for the others. Matches are taken in order of these numbers; one
    that would bring together two records that somebody took apart is passed by.
    """

    members: dict[int, frozenset[int]] = field(default_factory=dict)  # by survivor
    apart: frozenset[tuple[int, int]] = frozenset()
    _survivor: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for survivor, ids in self.members.items():
            self._survivor.update(dict.fromkeys(ids, survivor))

    def of(self, record_id: int) -> int:
        """The record that stands for this one."""
        return self._survivor.get(record_id, record_id)

    def join(self, matches: Iterable[Match]) -> list[Match]:
        """Bring matches in; returns those that made two into one."""
        made = []
        for match in sorted(matches, key=lambda one: (one.like_id, one.record_id, one.rule)):
            survivor, merged = sorted((self.of(match.record_id), self.of(match.like_id)))
            if survivor == merged:
                continue
            one, other = self._ids(survivor), self._ids(merged)
            if self.apart and any((min(a, b), max(a, b)) in self.apart for a in one for b in other):
                continue
            self.members[survivor] = one | other
            self.members.pop(merged, None)
            self._survivor.update(dict.fromkeys(other, survivor))
            self._survivor[survivor] = survivor
            made.append(match)
        return made

    def _ids(self, survivor: int) -> frozenset[int]:
        return self.members.get(survivor, frozenset({survivor}))


def key_of(rule: Rule, fields: Mapping[str, Any]) -> bytes | None:
    """What a record is found by under a rule, or None where it says too little to be found at all."""
    parts = values_of(rule, fields)
    if parts is None:
        return None
    return hashlib.sha256("\x00".join(parts.values()).encode("utf-8", "replace")).digest()


def values_of(rule: Rule, fields: Mapping[str, Any]) -> dict[str, str] | None:
    """The normalised values that a rule compares, by field; None where one of them is missing."""
    values = {}
    for name in rule.match:
        written = fields.get(name)
        value = NORMALISED[name](written) if isinstance(written, str) else ""
        if not value:
            return None
        values[name] = value
    return values


def normalised_email(text: str) -> str:
    """An address as it is compared; what is no address is like nothing."""
    return address_key(text) if is_mailable(text.strip()) else ""


def normalised_domain(text: str) -> str:
    """A domain as it is compared, also of a web address: ``https://www.acme.example/se`` is ``acme.example``."""
    host = re.split(r"[/?#]", _SCHEME.sub("", text.strip()), maxsplit=1)[0]
    host = host.rpartition("@")[2].partition(":")[0]
    domain = domain_key(host).removeprefix("www.")
    return domain if "." in domain else ""


def normalised_name(text: str) -> str:
    """A name as it is compared: without case, accents of form, punctuation and spaces beyond one.

    ``Müller & Co.`` is ``müller co``; legal forms stay, for ``Acme Ltd`` may be another than ``Acme AB``.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(_PUNCTUATION.sub(" ", folded).replace("_", " ").split())


NORMALISED: dict[str, Callable[[str], str]] = {
    "email": normalised_email,
    "domain": normalised_domain,
    "name": normalised_name,
}


def matches_of(rule: str, sharing: Iterable[int]) -> list[Match]:
    """Records that share a key: each is like the lowest of them."""
    ids = sorted(sharing)
    return [Match(rule, other, ids[0]) for other in ids[1:]]


def parts_of(ids: Iterable[int], edges: Iterable[Match]) -> list[list[int]]:
    """What records fall into where these matches alone hold them together.

    Records that were matched by the same values are held by those, also where the match that was noted is of
    another who had them.
    """
    clusters = Clusters()
    by_values: dict[tuple[str, str], int] = {}
    wanted = set(ids)
    for edge in edges:
        ends = [one for one in (edge.record_id, edge.like_id) if one in wanted]
        held = by_values.setdefault((edge.rule, edge.values), ends[0]) if ends else None
        clusters.join(Match(edge.rule, one, held) for one in ends if held is not None)
    parts: dict[int, list[int]] = {}
    for one in sorted(wanted):
        parts.setdefault(clusters.of(one), []).append(one)
    return list(parts.values())
