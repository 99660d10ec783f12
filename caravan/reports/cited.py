"""Sentences that cite the records they are made of: what keeps one from being shown, and how it is shown.

A sentence speaks of nobody but those whom its records speak of. That it means what they say no check can tell: whoever
reads it finds them beneath.
"""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, Field

from caravan.journeys.unseen import is_one_line
from caravan.reports.facts import Fact
from caravan.reports.names import reaching
from caravan.reports.pseudonyms import Pseudonyms, is_nearly_one, spoken_of

#: what no prose has: it is read in mails and on terminals, where an address would be a link
MARKS = ("<", ">", "://", "www.", "@")
#: what a word may stand behind
OPENING = "(\"'“‘"
NOT_PROSE = "has mark-up, an address or a character that steers; write plain prose in one line"
REACHES = "has a web host, a mail address or a telephone number; leave it out"
NAMELESS = "names somebody; say it without account 5, person 12 and the like"


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


def refusal_of_missing(text: str) -> str | None:
    """What keeps a text from being shown that no record stands beneath: it names and reaches nobody."""
    if spoken_of(text) or is_nearly_one(text):
        return NAMELESS
    return _not_plain(text, ())


def _why_not(one: Sentence, known: Mapping[str, Fact], pseudonyms: Pseudonyms) -> str | None:
    if not all(record in known for record in one.records):
        return "cites a record that the data does not have"
    cited = [known[record] for record in one.records]
    if any(pseudonyms.strangers(one.text)):
        return "speaks of somebody that the data does not have"
    if not spoken_of(one.text) <= {who for fact in cited for who in fact.speaks_of}:
        return "speaks of somebody that the records it cites do not speak of"
    if is_nearly_one(one.text):
        return "writes somebody otherwise than as person 12 or account 5"
    return _not_plain(one.text, [fact.told for fact in cited])


def _not_plain(text: str, told: Sequence[str]) -> str | None:
    """What is wrong with the characters of a text; what its records were told with it may repeat."""
    if not is_one_line(text) or any(mark in text.lower() for mark in MARKS):
        return NOT_PROSE
    for one in reaching(text):
        # with what stands before it: /evil.example of a record is a page's path, and evil.example is none
        *_, word = text[: one.end].split(" ")
        if not any(f" {word.lstrip(OPENING)}" in f" {record}" for record in told):
            return REACHES
    return None


def named(sentences: Iterable[Sentence], pseudonyms: Pseudonyms) -> Sequence[Sentence]:
    """For people: with names."""
    return [
        Sentence.model_construct(text=pseudonyms.name(one.text), records=one.records)
        for one in sentences
    ]
