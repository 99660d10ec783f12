"""What records are called and reached by, and where that stands in a text, whichever way it is written.

A text is looked at as a person reads it (``folded.py``). So BERGSTROM is Bergström, and an invisible character in the
middle of a name hides nothing. What an address, a web host or a telephone
number looks like is found whoever's it is. Each pattern goes through a text once, whatever stands in it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any

from caravan.journeys.unseen import in_one_line
from caravan.reports.folded import Folded

#: what a person is called
NAMES = ("first_name", "last_name")
#: standard fields by which an account, a person or an opportunity is known or reached
FIELDS = (
    "name", *NAMES, "domain", "email", "phone", "mobile_phone", "street", "postal_code", "date_of_birth", "logo_url",
)  # fmt: skip

#: who is called by a name that several have
SOMEBODY = "somebody"
#: characters of a field that are known, and its words in a row, of which more are known part by part
LONGEST_FIELD, MOST_WORDS = 500, 40
#: letters of a name that is an ordinary word too often, and is known by its capital
SHORT = 2
#: digits of a number that is nobody's by itself
FEW_DIGITS = 3
#: of whom something is, in the languages that write it so: Annikas; of short names the first alone
OF_WHOM = ("s", "es", "n")
FEW_LETTERS = 3

#: how companies are incorporated, which people leave out
_FORM = re.compile(
    r"(?: (?:ab|ag|as|a s|asa|bv|b v|co|corp|corporation|gmbh|inc|incorporated|kg|limited|llc|l l c|ltd|nv|n v|oy|oyj"
    r"|plc|sa|s a|sarl|se|spa|s p a))+$"
)
_NUMBER = r"(?P<number>\+?\d(?:[\s().\-/]{0,3}\d){6,})"
#: which is no telephone number
_INSTANT = r"(?P<instant>\b\d{4}-\d\d-\d\d(?:[ t]\d\d:\d\d(?::\d\d)?)?)"
_MAIL = r"(?P<mail>(?<![^\s@<>,;:/])[^\s@<>,;:/]*@[^\s@<>,;:/]*)"
_HOST = (
    r"(?P<host>(?:(?<![a-z0-9+.\-])[a-z][a-z0-9+.\-]*)?://[^\s/?#]*|(?<![\w\-])www\.[^\s/?#]*"
    # so many parts at most: a text that is nothing but dots would be gone through again from each
    r"|(?<![\w\-])(?:[\w\-]+\.){1,8}[^\W\d_]{2,}(?![\w\-]))"
    r"(?P<path>/[^\s?#]*)?(?P<query>[?#]\S*)?"
)
_REACHES = re.compile("|".join((_INSTANT, _NUMBER, _MAIL, _HOST)))
#: a page's path names files, which look like hosts
_IN_PATH = re.compile("|".join((_INSTANT, _NUMBER, _MAIL)))


class What(StrEnum):
    """What a part of a text is."""

    name = "name"  # or an address or number, of somebody who is known
    mail = "mail"
    host = "host"
    query = "query"  # of a page: it may hold anything
    number = "number"


@dataclass(frozen=True)
class Found:
    """A part of a text that says who somebody is, or reaches somebody.

    Args:
        start: where it begins in the text.
        end: where it ends.
        what: what it is.
        whose: as ``know`` was told; empty where it only looks like something.
        owns: whether it says of whom something is (Annikas), so that the ending is part of it.
    """

    start: int
    end: int
    what: What
    whose: str = ""
    owns: bool = False

    @property
    def rank(self) -> tuple[int, bool]:
        """Of two in one place the longer one tells what it is, of equals the one that is known."""
        return self.end - self.start, self.what is What.name


@dataclass(frozen=True)
class _Name:
    whose: str
    written: frozenset[str] | None
    """How it has to be written, unless it begins with a capital; None: anyhow."""


@dataclass(slots=True)
class _Words:
    """Words that names begin with: whose name they are by themselves, and which may follow."""

    name: _Name | None = None
    following: dict[str, "_Words"] = field(default_factory=dict)


class KnownNames:
    """What those are called and reached by who are known."""

    def __init__(self) -> None:
        self._beginning = _Words()

    def know(self, whose: str, outside_id: str, attributes: Mapping[str, Any]) -> None:
        """Know a record; a name that several have is somebody's.

        Args:
            whose: what finds are said to be of.
            outside_id: the id that its team knows.
            attributes: its fields.
        """
        called = " ".join(str(attributes[field]) for field in NAMES if attributes.get(field))
        for value in (called, outside_id, *map(attributes.get, FIELDS)):
            self._learn(whose, _read(value))
        self._learn_words(whose, _without_form(_read(attributes.get("name")).words))
        for part in _read(called).each_word():
            if part.begins_with_capital:
                self._learn_words(whose, part.words, part.text)

    def found(self, text: str) -> list[Found]:
        """Every part of a text that tells of somebody, in order; none lies in another."""
        read = Folded(text)
        instants, reaching = _reaching(read)
        named = [one for one in self._names(read) if not any(map(one.lies_within, instants))]
        return _merged([*reaching, *(_found(read, one) for one in named)])

    def _learn(self, whose: str, read: Folded) -> None:
        letters = sum(map(len, read.words))
        self._learn_words(whose, read.words, read.text if letters <= SHORT else None)

    def _learn_words(self, whose: str, words: tuple[str, ...], written: str | None = None) -> None:
        together = "".join(words)
        if len(together) < SHORT or (together.isdecimal() and len(together) <= FEW_DIGITS):
            return  # nobody's
        for begin in range(0, len(words), MOST_WORDS):
            self._learn_part(whose, words[begin : begin + MOST_WORDS], written)

    def _learn_part(self, whose: str, words: tuple[str, ...], written: str | None) -> None:
        at = self._beginning
        for word in words:
            at = at.following.setdefault(word, _Words())
        ways = None if written is None else frozenset((written,))
        if (known := at.name) is not None:
            whose = whose if whose == known.whose else SOMEBODY
            ways = None if ways is None or known.written is None else ways | known.written
        at.name = _Name(whose, ways)

    def _names(self, read: Folded) -> Iterator["_Place"]:
        theirs = [tuple(_of_whom(word)) for word in read.words]
        for place, (start, _) in enumerate(read.spans):
            before = self._beginning
            for number in range(place, len(read.words)):
                end, word = read.spans[number][1], read.words[number]
                for one in (word, *theirs[number]):
                    known = before.following.get(one)
                    if known and known.name and _is_written(read, start, end, known.name):
                        yield _Place(start, end, known.name, one != word)
                if (goes_on := before.following.get(word)) is None:
                    break
                before = goes_on


@dataclass(frozen=True)
class _Place:
    """Where a name stands among the characters that are read."""

    start: int
    end: int
    name: _Name
    owns: bool

    def lies_within(self, around: tuple[int, int]) -> bool:
        """Whether it is a part of something longer."""
        start, end = around
        return start <= self.start and self.end <= end and (start, end) != (self.start, self.end)


def _is_written(read: Folded, start: int, end: int, name: _Name) -> bool:
    """Whether what is read there is written as the name has to be."""
    if name.written is None:
        return True
    begin, stop = read.span(start, end)
    return not read.text[begin].islower() or read.text[begin:stop] in name.written


def _read(value: object) -> Folded:
    """A field's value, or that of none."""
    return Folded("" if value is None else in_one_line(str(value)[:LONGEST_FIELD]))


def _of_whom(word: str) -> Iterator[str]:
    """Whose name a word may be, if something is said to be theirs."""
    for ending in OF_WHOM:
        name = word.removesuffix(ending)
        if name not in ("", word) and (ending == OF_WHOM[0] or len(name) > FEW_LETTERS):
            yield name


def _without_form(words: tuple[str, ...]) -> tuple[str, ...]:
    """A company as people call it."""
    return tuple(_FORM.sub("", " ".join(words)).split())


def reaching(text: str) -> list[Found]:
    """What looks in a text as if somebody could be reached by it."""
    return _merged(_reaching(Folded(text))[1])


def _reaching(read: Folded) -> tuple[list[tuple[int, int]], list[Found]]:
    """The instants of a text, and what looks as if somebody could be reached by it."""
    instants, found = [], []
    for one in _REACHES.finditer(read.folded):
        parts = [one]
        if one["path"]:
            parts += _IN_PATH.finditer(read.folded, *one.span("path"))
        for part in parts:
            groups = {name: part.span(name) for name, value in part.groupdict().items() if value}
            if "instant" in groups:
                instants.append(groups["instant"])
            found += [
                Found(*read.span(*groups[what]), what)
                for what in (What.number, What.mail, What.host, What.query)
                if what in groups
            ]
    return instants, found


def _found(read: Folded, place: _Place) -> Found:
    """The part of the text as it was written in which a name stands."""
    span = read.span(place.start, place.end)
    return Found(*span, What.name, place.name.whose, place.owns)


def _merged(found: list[Found]) -> list[Found]:
    """In order; what overlaps becomes one, which is what the longest of it is."""
    merged: list[Found] = []
    for one in sorted(found, key=attrgetter("start")):
        if merged and one.start < merged[-1].end:
            last = merged[-1]
            leads = max(last, one, key=attrgetter("rank"))
            merged[-1] = replace(leads, start=last.start, end=max(last.end, one.end))
        else:
            merged.append(one)
    return merged
