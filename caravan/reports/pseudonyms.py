"""Speaking of an account and its people without saying who they are, and saying it again afterwards.

``person 12`` is our own number of a record: it means nothing outside the store. Texts that strangers wrote are told
without the names, addresses and numbers of those who are known here, and without what looks like an address at all.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from caravan.journeys.unseen import in_one_line
from caravan.reports.names import NAMES, Found, KnownNames, What

#: characters of a text by strangers that are told, and of it that are looked at
LONGEST, LOOKED_AT = 160, 2_000

_PSEUDONYM = re.compile(r"\b(account|person) (\d+)\b", re.IGNORECASE)
#: a pseudonym at the end of what is cut off may be the beginning of another
_LAST_PSEUDONYM = re.compile(r"\b(account|person) \d*$", re.IGNORECASE)
_GLUED = re.compile(r"\w\w")
#: what is told in place of what looks like somebody's
_IN_PLACE = {
    What.mail: "(address)",
    What.host: "(address)",
    What.number: "(number)",
    What.query: "",
}


class Pseudonyms:
    """The pseudonyms of those who are spoken of; one that is new is added by being asked for."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # by pseudonym
        self._people: dict[str, str] = {}  # by the id that their team knows
        self._accounts: dict[str, str] = {}
        self._known = KnownNames()

    def account(self, number: int, external_id: str, attributes: Mapping[str, Any]) -> str:
        """How an account is spoken of."""
        pseudonym = f"account {number}"
        self._names[pseudonym] = in_one_line(str(attributes.get("name") or external_id))
        self._accounts[external_id] = pseudonym
        self._known.know(pseudonym, external_id, attributes)
        return pseudonym

    def person(self, number: int, external_id: str, attributes: Mapping[str, Any]) -> str:
        """How a person is spoken of."""
        pseudonym = f"person {number}"
        called = " ".join(str(attributes[field]) for field in NAMES if attributes.get(field))
        self._names[pseudonym] = in_one_line(called or str(attributes.get("email") or external_id))
        self._people[external_id] = pseudonym
        self._known.know(pseudonym, external_id, attributes)
        return pseudonym

    def of_person(self, external_id: str | None) -> str:
        """Somebody by the id that their team knows."""
        return self._people.get(external_id or "", "somebody")

    def of_account(self, external_id: str) -> str:
        """An account by the id that its team knows."""
        return self._accounts.get(external_id, "another account")

    def knows(self, pseudonym: str) -> bool:
        return pseudonym in self._names

    def hide(self, text: object) -> str:
        """A text by strangers, in one line, without names, addresses and numbers, and cut."""
        line = " ".join(in_one_line(str(text)).split())[:LOOKED_AT]
        line = _PSEUDONYM.sub(r"\1-\2", line)  # a text cannot speak of whom it likes
        told, behind = "", 0
        for one in self._known.found(line):
            told = _apart(_apart(told, line[behind : one.start]), _instead(one, line))
            behind = one.end
        told = _apart(told, line[behind:])
        if len(told) <= LONGEST:
            return told
        return _LAST_PSEUDONYM.sub("", told[: LONGEST - 1]) + "…"

    def name(self, text: str) -> str:
        """A text with the names in place of the pseudonyms."""
        return _PSEUDONYM.sub(lambda found: self._names.get(found[0].lower(), found[0]), text)

    def strangers(self, text: str) -> Iterator[str]:
        """The pseudonyms of a text that are nobody's here."""
        return (one[0] for one in _PSEUDONYM.finditer(text) if one[0].lower() not in self._names)


def _apart(before: str, behind: str) -> str:
    """One behind the other; a pseudonym is a word of its own, also where scripts or underscores have none."""
    return before + (" " if _GLUED.fullmatch(before[-1:] + behind[:1]) else "") + behind


def _instead(found: Found, line: str) -> str:
    """What is told in place of what was found; of a page its path stays."""
    if found.what is What.name:
        return f"{found.whose}'s" if found.owns else found.whose
    if found.what is What.host and line[found.end : found.end + 1] == "/":
        return ""
    return _IN_PLACE[found.what]


def people(text: str) -> set[str]:
    """The pseudonyms of people in a text."""
    found = (one[0].lower() for one in _PSEUDONYM.finditer(text))
    return {one for one in found if one.startswith("person")}
