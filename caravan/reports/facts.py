"""Facts: what records say, each in a sentence of ours, with the record that says it.

People read them as the record is; a model is told them with pseudonyms, and what it makes of them cites their records.

=========================  ==========================================================
``account:5``              an account, by our number
``person:12``              a person
``refusal:5/SLUG``         that it was not let into a journey
``waiting:5/SLUG/2``       that it waits to enter a version of one
``traversal:17``           one entry of an account into a journey
``step:17/3``              the third step of it
``event:81``               an activity
``message:ID``             a message, by its Message-ID; one that was skipped by our number
``group:4``                a buying group
``role:4/2``               a role of it, by its place in the template
``member:4/12``            a person in it
``change:4/2``             a change of its stage or status, in turn
``journey:SLUG/2``         a version of a journey
``report:SLUG``            what came of a journey
``stream:NAME``            what flows between the stores
=========================  ==========================================================
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.reports.phrases import Phrase, phrase
from caravan.reports.pseudonyms import Pseudonyms, spoken_of


@dataclass(frozen=True)
class Fact:
    """What one record says.

    Args:
        record: its id, as above.
        words: what it says.
        at: since when.
        about: pseudonyms of those whose record it is; they need not stand in the words.
    """

    record: str
    words: Phrase | str
    at: datetime | None = None
    about: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """For people."""
        return phrase(self.words).text

    @property
    def told(self) -> str:
        """For a model."""
        return phrase(self.words).told

    @property
    def speaks_of(self) -> frozenset[str]:
        """Whom a sentence may speak of that cites it."""
        return self.about | spoken_of(self.told)


@dataclass(frozen=True)
class Facts:
    """What is known of something, and who is spoken of; of one record there is one fact.

    Raises:
        ValueError: two facts have one record: what cites it would cite either.
    """

    about: str
    items: tuple[Fact, ...]
    pseudonyms: Pseudonyms

    def __post_init__(self) -> None:
        one_each(self.items)

    @property
    def by_record(self) -> Mapping[str, Fact]:
        return {one.record: one for one in self.items}


def one_each(items: Iterable[Fact]) -> None:
    """See that each fact has a record of its own.

    Raises:
        ValueError: two have the same.
    """
    for record, count in Counter(one.record for one in items).items():
        if count > 1:
            raise ValueError(f"two facts have the record {record}: give each one of its own")


def as_data(items: Iterable[Fact]) -> list[Mapping[str, Any]]:
    """For a model."""
    return [
        {"record": one.record, "text": one.told}
        | ({"about": about} if (about := sorted(one.about - spoken_of(one.told))) else {})
        | ({"at": f"{one.at:%Y-%m-%d %H:%M}Z"} if one.at else {})
        for one in items
    ]


def fitting(items: Iterable[Fact], characters: int) -> list[Fact]:
    """The first of them, as many as have so many characters together."""
    kept: list[Fact] = []
    for one in items:
        characters -= len(one.text)
        if characters < 0:
            break
        kept.append(one)
    return kept
