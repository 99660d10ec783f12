"""``caravan ask QUESTION``: an answer from the stores' records, each sentence with the records it is made of."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from caravan.ai.answering import LONGEST_QUESTION, answer
from caravan.lookups.ask_tools import Looking
from caravan.reports.cited import named
from starter.ai_words import words_of
from starter.asker import asker
from starter.cited import print_facts, print_sentences, told_fact
from starter.output import Format, FormatOption, as_json, cell, console
from starter.session import Session, SubscriptionOption, run_with


def ask(
    question: Annotated[
        str, typer.Argument(help='As: "why did Acme Power leave grid-nurture?"', metavar="QUESTION")
    ],
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Answer a question about accounts, journeys and messages, with the records that say so.

    Asks the model that AI_MODEL names. It looks things up with tools that only read, and can change nothing. Name accounts,
    people and journeys as they are called or by id: nothing else is looked at. Exits 0 also where the records do
    not say it; 2 without a model.
    """
    asked = words_of("The question", " ".join(question.split()), LONGEST_QUESTION)

    async def body(session: Session) -> None:
        told = await _told(session, asked)
        if form is Format.json:
            print(as_json(told))
        else:
            _print(told)

    run_with(subscription, body)


async def _told(session: Session, question: str) -> dict[str, Any]:
    engage, now = await session.engage(), datetime.now(UTC)
    looking = Looking(engage, await session.platform(), session.munchkin, question, now)
    with asker(engage) as asks:
        got = await answer(asks, question, looking, now)
    reply = got.value
    cited = {record: None for one in reply.sentences for record in one.records}
    return {
        "question": question,
        "known": reply.known,
        "sentences": [one.model_dump() for one in named(reply.sentences, looking.pseudonyms)],
        "missing": reply.missing or None,
        "records": [told_fact(looking.seen[record]) for record in cited],
        "looks": looking.looks,
        "model": got.model,
        "call": got.call,
        "cost": got.cost,
    }


def _print(told: dict[str, Any]) -> None:
    if not told["known"]:
        console.print("The records do not say.", markup=False, highlight=False)
        if told["missing"]:
            console.print(cell(told["missing"]), highlight=False)
        return
    print_sentences(told["sentences"])
    console.print()
    print_facts(told["records"])
