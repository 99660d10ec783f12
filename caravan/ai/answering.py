"""Answers to an operator's question, from what tools that only read have told, each sentence with its records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, Field

from caravan.ai.asking import Answer, Asker
from caravan.ai.question import Question, Tool
from caravan.ai_settings import Feature
from caravan.reports.cited import Sentence, refusal, refusal_of_missing
from caravan.reports.facts import Fact
from caravan.reports.pseudonyms import Pseudonyms

#: characters of a question
LONGEST_QUESTION = 1000


class Reply(BaseModel):
    """What is known of a question, or what is not."""

    known: bool
    sentences: list[Sentence] = Field(default=[], max_length=6)
    missing: str = Field(default="", max_length=300)


class Lookout(Protocol):
    """What can be looked at, and what has been."""

    pseudonyms: Pseudonyms
    seen: dict[str, Fact]  # by record

    @property
    def tools(self) -> Sequence[Tool]: ...


async def answer(asker: Asker, question: str, lookout: Lookout, at: datetime) -> Answer[Reply]:
    """Answer one question; people and accounts in it are pseudonyms.

    Raises:
        Unanswered: there is no model, or none that answers from records.
    """

    def check(reply: Reply) -> str | None:
        if not reply.known:
            if (why := refusal_of_missing(reply.missing)) is not None:
                return f"missing {why}"
            return "what is not known has no sentences" if reply.sentences else None
        if not reply.sentences:
            return "what is known is said in sentences, each with its records"
        return refusal(reply.sentences, lookout.seen, lookout.pseudonyms)

    asked = Question(
        Feature.ASK,
        "ask",
        {"today": f"{at:%Y-%m-%d %H:%M}Z"},
        Reply,
        words={"question": question},
        tools=lookout.tools,
        check=check,
    )
    return await asker.ask(asked, at=at)
