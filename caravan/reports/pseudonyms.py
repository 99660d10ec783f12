"""Speaking of an account and its people without saying who they are, and saying it again afterwards.

``person 12`` is our own number of a record: it means nothing outside the store. Texts that strangers wrote are told
without the names, addresses and numbers of those who are known here, and without what looks like an address at all;
people read them as they are. Where not everybody is known, such texts are not told.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from caravan.journeys.unseen import in_one_line
from caravan.reports.names import NAMES, SOMEBODY, Found, KnownNames, What
from caravan.reports.phrases import Phrase, Somebody

#: characters of a text by strangers that are told, and of a name
LONGEST = 160
#: characters of one that are looked at; of a longer one the last are not told: what begins before them ends in them
LOOKED_AT, NOT_TOLD = 2_000, 1_000
#: people of an account whose names are known at most: to know them takes time, each time anew
MOST_KNOWN = 2_000
#: told in place of a text in which somebody may stand who is not known
KEPT_BACK = "(a text)"

_PSEUDONYM = re.compile(r"\b(account|person) (\d+)\b", re.IGNORECASE)
#: a pseudonym at the end of what is cut off may be the beginning of another
_LAST_PSEUDONYM = re.compile(r"\b(account|person) \d*$", re.IGNORECASE)
#: persons 1, account-5
_NEARLY = re.compile(r"\b(account|person)s?[\s#:.\-]{0,3}\d", re.IGNORECASE)
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
        self._people: dict[str, str] = {}  # pseudonyms, by the id that their team knows
        self._accounts: dict[str, str] = {}
        self._known = KnownNames()
        self._unread: list[tuple[str, str, Mapping[str, Any]]] = []
        self._everybody_is_known = True

    def account(self, number: int, external_id: str, attributes: Mapping[str, Any]) -> Phrase:
        """An account that is spoken of."""
        name = str(attributes.get("name") or external_id)
        self._accounts[external_id] = f"account {number}"
        return self._add(f"account {number}", name, external_id, attributes)

    def person(self, number: int, external_id: str, attributes: Mapping[str, Any]) -> Phrase:
        """A person who is spoken of."""
        called = " ".join(str(attributes[field]) for field in NAMES if attributes.get(field))
        name = called or str(attributes.get("email") or external_id)
        self._people[external_id] = f"person {number}"
        return self._add(f"person {number}", name, external_id, attributes)

    def not_everybody(self) -> None:
        """There are people who are not known here: texts by strangers are not told."""
        self._everybody_is_known = False

    def of_person(self, external_id: str | None) -> Phrase | str:
        """Somebody by the id that their team knows."""
        pseudonym = self._people.get(external_id or "")
        return SOMEBODY if pseudonym is None else self.whose(pseudonym)

    def of_account(self, external_id: str) -> Phrase | str:
        """An account by the id that its team knows."""
        pseudonym = self._accounts.get(external_id)
        return "another account" if pseudonym is None else self.whose(pseudonym)

    def about_account(self, external_id: str) -> frozenset[str]:
        """For what is about an account; nobody where it is not known."""
        return frozenset(filter(None, (self._accounts.get(external_id),)))

    def whose(self, pseudonym: str) -> Phrase:
        """Whoever has a pseudonym."""
        return Phrase((Somebody(self._names.get(pseudonym, pseudonym), pseudonym),))

    def knows(self, pseudonym: str) -> bool:
        return pseudonym in self._names

    def hide(self, text: object) -> Phrase:
        """A text by strangers, in one line and cut; a model is told it without names, addresses and numbers."""
        return Phrase((_Hidden(str(text)[: LOOKED_AT + 1], self),))

    def without_names(self, text: str) -> str:
        """A text by strangers as a model is told it."""
        if not self._everybody_is_known:
            return KEPT_BACK
        for one in self._unread:
            self._known.know(*one)
        self._unread.clear()
        # a text cannot speak of whom it likes
        line = _PSEUDONYM.sub(r"\1-\2", _line(text[:LOOKED_AT]))
        end = len(line) if len(text) <= LOOKED_AT else max(0, len(line) - NOT_TOLD)
        told, behind = "", 0
        for found in self._known.found(line):
            if found.start < end:
                told = _apart(_apart(told, line[behind : found.start]), _instead(found, line))
                behind = found.end
        told = _apart(told, line[behind : max(behind, end)])
        if len(told) <= LONGEST and len(text) <= LOOKED_AT:
            return told
        return _LAST_PSEUDONYM.sub("", told[: LONGEST - 1]) + "…"

    def _add(
        self, pseudonym: str, name: str, external_id: str, attributes: Mapping[str, Any]
    ) -> Phrase:
        self._names[pseudonym] = _cut(in_one_line(name))
        self._unread.append((pseudonym, external_id, attributes))
        return self.whose(pseudonym)

    def name(self, text: str) -> str:
        """A text with the names in place of the pseudonyms."""
        return _PSEUDONYM.sub(lambda found: self._names.get(found[0].lower(), found[0]), text)

    def strangers(self, text: str) -> Iterator[str]:
        """The pseudonyms of a text that are nobody's here."""
        return (one for one in spoken_of(text) if not self.knows(one))


@dataclass(frozen=True)
class _Hidden:
    """A text by strangers."""

    written: str
    pseudonyms: Pseudonyms = field(repr=False)

    @property
    def text(self) -> str:
        return _cut(_line(self.written))

    @property
    def told(self) -> str:
        return self.pseudonyms.without_names(self.written)


def _line(text: str) -> str:
    return " ".join(in_one_line(text).split())


def _cut(line: str) -> str:
    """As much of a line as is told."""
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


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


def spoken_of(text: str) -> set[str]:
    """The pseudonyms in a text."""
    return {one[0].lower() for one in _PSEUDONYM.finditer(text)}


def is_nearly_one(text: str) -> bool:
    """Whether something in a text is read as a pseudonym, and is written otherwise."""
    return _NEARLY.search(_PSEUDONYM.sub("", text)) is not None
