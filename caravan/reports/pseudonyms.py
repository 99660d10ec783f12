"""Speaking of an account and its people without saying who they are, and saying it again afterwards.

``person 12`` is our own number of a record: it means nothing outside the store. Texts that strangers wrote are told
without the names, addresses and numbers of those who are known here, and without what looks like an address at all.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: characters of a text by strangers that are told
LONGEST = 160
#: a name that is shorter is an ordinary word too often; of two letters it is known by its capital
SHORTEST, SHORTEST_AS_WRITTEN = 3, 2
#: how companies are incorporated, which people leave out
_FORM = re.compile(
    r"[\s,]+(?:ab|ag|as|a/s|asa|bv|b\.v\.|co|corp|gmbh|inc|kg|llc|ltd|nv|oy|oyj|plc|s\.a\.|sa|sarl|se|spa)\.?$",
    re.IGNORECASE,
)

_PSEUDONYM = re.compile(r"\b(account|person) (\d+)\b", re.IGNORECASE)
_URL = re.compile(r"\b(?:[a-z][a-z0-9+.-]*://|www\.)[^\s/?#]*([^\s?#]*)[^\s]*", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+")
#: an instant, which stays, or what may be a telephone number
_NUMBER = re.compile(
    r"(?P<instant>\b\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?)|\+?\d(?:[\s().\-/]{0,3}\d){6,}"
)
_HIDDEN = re.compile(r"\s+")

NAMES = ("first_name", "last_name")
REACHED_BY = ("email", "phone", "mobile_phone")


class Pseudonyms:
    """The pseudonyms of those who are spoken of; one that is new is added by being asked for."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # by pseudonym
        self._by_id: dict[str, str] = {}  # people, by the id that their team knows
        self._accounts: dict[str, str] = {}
        self._hidden: dict[str, str] = {}  # what is told in place of what, in whatever case
        self._as_written: dict[str, str] = {}  # and in this one
        self._pattern: re.Pattern[str] | None = None

    def account(self, number: int, external_id: str, attributes: Mapping[str, Any]) -> str:
        """How an account is spoken of."""
        pseudonym = f"account {number}"
        name = attributes.get("name")
        self._names[pseudonym] = _printable(str(name or external_id))
        self._accounts[external_id] = pseudonym
        self._hide(pseudonym, name, _FORM.sub("", str(name or "")), attributes.get("domain"))
        return pseudonym

    def person(self, number: int, external_id: str, attributes: Mapping[str, Any]) -> str:
        """How a person is spoken of."""
        pseudonym = f"person {number}"
        names = [str(attributes[field]) for field in NAMES if attributes.get(field)]
        called = " ".join(names) or str(attributes.get("email") or external_id)
        self._names[pseudonym] = _printable(called)
        self._by_id[external_id] = pseudonym
        self._hide(pseudonym, " ".join(names), *names, *map(attributes.get, REACHED_BY))
        for part in re.findall(r"\w+", " ".join(names)):
            if len(part) >= SHORTEST_AS_WRITTEN and part[0].isupper():
                self._as_written.setdefault(part, pseudonym)
        return pseudonym

    def of_person(self, external_id: str | None) -> str:
        """Somebody by the id that their team knows."""
        return self._by_id.get(external_id or "", "somebody")

    def of_account(self, external_id: str) -> str:
        """An account by the id that its team knows."""
        return self._accounts.get(external_id, "another account")

    def knows(self, pseudonym: str) -> bool:
        return pseudonym in self._names

    def hide(self, text: object) -> str:
        """A text by strangers, in one line, without names, addresses and numbers, and cut."""
        told = _PSEUDONYM.sub(
            r"\1-\2", _printable(str(text))
        )  # a text cannot speak of whom it likes
        told = _URL.sub(lambda url: url[1] or "/", told)
        told = _ADDRESS.sub("(address)", told)
        told = self._known().sub(self._instead, told)
        told = _NUMBER.sub(lambda found: found["instant"] or "(number)", told)
        told = _HIDDEN.sub(" ", told).strip()
        return told if len(told) <= LONGEST else told[: LONGEST - 1] + "…"

    def name(self, text: str) -> str:
        """A text with the names in place of the pseudonyms."""
        return _PSEUDONYM.sub(lambda found: self._names.get(found[0].lower(), found[0]), text)

    def strangers(self, text: str) -> Iterator[str]:
        """The pseudonyms of a text that are nobody's here."""
        return (one[0] for one in _PSEUDONYM.finditer(text) if one[0].lower() not in self._names)

    def _hide(self, pseudonym: str, *texts: object) -> None:
        for text in texts:
            if text and len(str(text)) >= SHORTEST:
                self._hidden.setdefault(str(text).casefold(), pseudonym)
        self._pattern = None

    def _instead(self, found: re.Match[str]) -> str:
        return self._hidden.get(found[0].casefold()) or self._as_written[found[0]]

    def _known(self) -> re.Pattern[str]:
        if self._pattern is None:
            any_case, as_written = _either(self._hidden), _either(self._as_written)
            self._pattern = re.compile(rf"(?<!\w)(?:(?i:{any_case})|{as_written})(?!\w)")
        return self._pattern


def _printable(text: str) -> str:
    """In one line, without what a person would not see."""
    return "".join(one if one.isprintable() else " " for one in text)


def _either(texts: Iterable[str]) -> str:
    """One of these, the longest first; of none what fits nothing."""
    return "|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)"


def people(text: str) -> set[str]:
    """The pseudonyms of people in a text."""
    found = (one[0].lower() for one in _PSEUDONYM.finditer(text))
    return {one for one in found if one.startswith("person")}
