"""Prose of facts: a few sentences, each of which names the records that say so. Without a model the facts alone."""

from datetime import datetime, timedelta

from caravan.ai.asking import Answer, Asker
from caravan.ai.question import Question
from caravan.ai.unanswered import Unanswered
from caravan.ai_settings import Feature
from caravan.reports.cited import Prose, refusal
from caravan.reports.facts import Facts, as_data


async def summarise(
    asker: Asker, facts: Facts, at: datetime, *, within: timedelta | None = None
) -> Answer[Prose]:
    """Ask for prose, in so much time at most; people and accounts in it are pseudonyms.

    Raises:
        Unanswered: there is none; the facts stand.
    """
    try:
        records = as_data(facts.items)
    except Exception as error:  # its message may hold what is not to be told
        raise Unanswered(
            f"The facts cannot be told without names ({type(error).__name__})"
        ) from None
    data = {"about": facts.about, "today": at.date().isoformat(), "records": records}

    def check(prose: Prose) -> str | None:
        return refusal(prose.sentences, facts.by_record, facts.pseudonyms)

    question = Question(Feature.SUMMARY, "summary", data, Prose, check=check, within=within)
    return await asker.ask(question, at=at)
