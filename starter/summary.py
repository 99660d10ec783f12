"""``--summary`` of ``account show`` and ``buying-group show``: the facts, and prose where a model makes some of them."""

from datetime import datetime
from typing import Annotated, Any

import typer

from caravan.ai.summarising import summarise
from caravan.reports.cited import named
from caravan.reports.facts import Facts
from starter.asker import asker
from starter.cited import print_facts, print_sentences, told_fact
from starter.output import cell, console
from starter.sentences import is_embedded, sentence
from starter.session import Session

SummaryOption = Annotated[
    bool,
    typer.Option(
        "--summary",
        help="Only a summary: a few sentences by the model that AI_MODEL names, and the facts they cite; "
        "without a model the facts alone.",
    ),
]


async def summary_of(session: Session, facts: Facts, at: datetime) -> dict[str, Any]:
    """The facts, and what a model says of them or why it does not."""
    told: dict[str, Any] = {
        "facts": list(map(told_fact, facts.items)),
        "sentences": [],
        "model": None,
        "unanswered": None,
    }
    if not facts.items:
        return told
    try:
        return told | await _prose(session, facts, at)
    except Exception as error:  # whatever it is, and whosever fault: the facts stand
        return told | {"unanswered": _why(error)}


async def _prose(session: Session, facts: Facts, at: datetime) -> dict[str, Any]:
    with asker(await session.engage()) as asks:
        answer = await summarise(asks, facts, at)
    sentences = named(answer.value.sentences, facts.pseudonyms)
    return {
        "sentences": [one.model_dump() for one in sentences],
        "model": answer.model,
        "call": answer.call,
        "cached": answer.cached,
        "cost": answer.cost,
    }


def _why(error: Exception) -> str:
    """In a sentence; of what has none its kind says enough, and holds nothing of the data."""
    known = sentence(error, embedded=is_embedded())
    return known[0] if known else f"No sentences could be made of them ({type(error).__name__})"


def print_summary(told: dict[str, Any]) -> None:
    """Prose first, then what it cites, or all there is where there is no prose."""
    if told["sentences"]:
        print_sentences(told["sentences"])
        cited = {record for one in told["sentences"] for record in one["records"]}
        console.print(f"\nwritten by {cell(told['model'])} from", style="dim", highlight=False)
        print_facts([one for one in told["facts"] if one["record"] in cited])
        return
    if told["unanswered"]:
        console.print(f"{cell(told['unanswered'])}. The facts:", style="dim", highlight=False)
    print_facts(told["facts"])
