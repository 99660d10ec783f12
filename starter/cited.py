"""Sentences with the records they cite, and the records themselves, as terminals show them."""

from collections.abc import Sequence
from typing import Any

from caravan.reports.facts import Fact
from starter.output import cell, console


def told_fact(fact: Fact) -> dict[str, Any]:
    """For programs."""
    return {"record": fact.record, "at": fact.at, "text": fact.text}


def print_sentences(sentences: Sequence[dict[str, Any]]) -> None:
    """A line each; whatever they hold, it is text."""
    for one in sentences:
        console.print(
            f"{cell(one['text'])} [dim]{cell('[' + ', '.join(one['records']) + ']')}[/dim]",
            highlight=False,
        )


def print_facts(facts: Sequence[dict[str, Any]]) -> None:
    """A line each."""
    for one in facts:
        at = f"{cell(one['at'])} " if one["at"] else ""
        console.print(
            f"  [dim]{cell(one['record'])}[/dim] {at}{cell(one['text'])}", highlight=False
        )
