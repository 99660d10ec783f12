"""Sentences that cite the records they are made of: what keeps one from being shown, and how it is shown.

That a sentence means what its records say no check can tell: whoever reads it finds them beneath.
"""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, Field

from caravan.journeys.unseen import is_one_line
from caravan.reports.facts import Fact
from caravan.reports.pseudonyms import Pseudonyms, people

#: what no prose has: it is read in mails and on terminals, where an address would be a link
MARKS = ("<", ">", "://", "www.", "@")
NOT_PROSE = "has mark-up, an address or a character that steers; write plain prose in one line"


class Sentence(BaseModel):
    """One sentence, and the records it is made of."""

    text: str = Field(min_length=1, max_length=300)
    records: list[str] = Field(min_length=1, max_length=12)


class Prose(BaseModel):
    """A summary."""

    sentences: list[Sentence] = Field(min_length=1, max_length=6)


def refusal(
    sentences: Iterable[Sentence], known: Mapping[str, Fact], pseudonyms: Pseudonyms
) -> str | None:
    """What keeps the first of these sentences that is unfit from being shown; repeats nothing of it.

    Args:
        sentences: about people and accounts by pseudonyms.
        known: the facts that may be cited, by record.
        pseudonyms: those who may be spoken of.
    """
    for number, one in enumerate(sentences, start=1):
        if (why := _why_not(one, known, pseudonyms)) is not None:
            return f"sentence {number} {why}"
    return None


def _why_not(one: Sentence, known: Mapping[str, Fact], pseudonyms: Pseudonyms) -> str | None:
    if not all(record in known for record in one.records):
        return "cites a record that the data does not have"
    # of accounts it may speak as it likes, for what a record says is of one
    if not people(one.text) <= {
        who for record in one.records for who in people(known[record].text)
    }:
        return "speaks of somebody that the records it cites do not speak of"
    if any(pseudonyms.strangers(one.text)):
        return "speaks of somebody that the data does not have"
    return None if is_prose(one.text) else NOT_PROSE


def is_prose(text: str) -> bool:
    """Whether a text is read as it stands, wherever it is shown."""
    return is_one_line(text) and not any(mark in text.lower() for mark in MARKS)


def named(sentences: Iterable[Sentence], pseudonyms: Pseudonyms) -> Sequence[Sentence]:
    """For people: with names."""
    return [
        Sentence.model_construct(text=pseudonyms.name(one.text), records=one.records)
        for one in sentences
    ]
