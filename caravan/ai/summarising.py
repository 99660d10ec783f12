"""Prose of facts: a few sentences, each of which names the records that say so. Without a model the facts alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from caravan.ai.asking import Answer, Asker
from caravan.ai.question import Question
from caravan.ai_settings import Feature
from caravan.reports.facts import Fact, Facts, as_data, told_by
from caravan.reports.pseudonyms import Pseudonyms

#: what no sentence has: it is read in mails and on terminals, where an address would be a link
NOT_PROSE = ("<", ">", "://", "www.", "@")


class Sentence(BaseModel):
    """One sentence, and the records it is made of."""

    text: str = Field(min_length=1, max_length=300)
    records: list[str] = Field(min_length=1, max_length=12)


class Prose(BaseModel):
    """A summary."""

    sentences: list[Sentence] = Field(min_length=1, max_length=6)


async def summarise(
    asker: Asker, facts: Facts, at: datetime, *, within: timedelta | None = None
) -> Answer[Prose]:
    """Ask for prose, in so much time at most; people and accounts in it are pseudonyms.

    Raises:
        Unanswered: there is none; the facts stand.
    """
    data = {"about": facts.about, "today": at.date().isoformat(), "records": as_data(facts.items)}

    def check(prose: Prose) -> str | None:
        return wrong(prose.sentences, facts.by_record, facts.pseudonyms)

    question = Question(Feature.SUMMARY, "summary", data, Prose, check=check, within=within)
    return await asker.ask(question, at=at)


def wrong(
    sentences: list[Sentence], known: Mapping[str, Fact], pseudonyms: Pseudonyms
) -> str | None:
    """What keeps sentences from being shown; repeats nothing of them."""
    for number, one in enumerate(sentences, start=1):
        if not all(record in known for record in one.records):
            return f"sentence {number} cites a record that the data does not have"
        if not told_by(one.text, one.records, known):
            return f"sentence {number} speaks of somebody that the records it cites do not speak of"
        if any(pseudonyms.strangers(one.text)):
            return f"sentence {number} speaks of somebody that the data does not have"
        if not one.text.isprintable() or any(mark in one.text.lower() for mark in NOT_PROSE):
            return f"sentence {number} has mark-up, an address or a character that cannot be printed; write plain prose"
    return None


def named(sentences: list[Sentence], pseudonyms: Pseudonyms) -> list[Sentence]:
    """For people: with names."""
    return [
        Sentence.model_construct(text=pseudonyms.name(one.text), records=one.records)
        for one in sentences
    ]
