"""What happens from outside while a journey is simulated: events, changes of records, and answers.

They come from the workspace's own events that are not over yet, from a file of JSON Lines, or from a
test's document.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from caravan.journeys.fields import FieldCatalog
from caravan.journeys.problems import Problem
from caravan.platform.event_lines import EventRow, read_event, unkept
from caravan.platform.record_changes import BadChange, RecordChange, read_change
from caravan.simulation.instants import read_instant

ANSWERS = ("call_answer", "decision")


@dataclass(frozen=True)
class Answer:
    """What an outside service, or a model, says about an account that asked at a node."""

    type: str
    account: str
    node: str
    accessors: dict[str, Any]
    path: str | None


@dataclass(frozen=True)
class Line:
    """One thing that happens, and where it was written."""

    at: datetime
    what: EventRow | RecordChange | Answer
    file: str
    number: int


class BadLine(ValueError):
    """A line that nothing can be made of; says why."""


def read_file(path: Path, catalog: FieldCatalog) -> tuple[list[Line], list[Problem]]:
    """The lines of a file in its order, and what is wrong with the others.

    Raises:
        OSError: it cannot be read.
    """
    lines, problems = [], []
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                lines.append(read_line(text, number, path.name, catalog))
            except BadLine as error:
                problems.append(bad(path.name, number, str(error)))
    return lines, problems


def bad(file: str, number: int, why: str) -> Problem:
    """A line's problem, in the shape of ``validate``."""
    return Problem(file=file, line=number, document=None, node=None, code="bad-value", message=why)


def read_line(text: str, number: int, file: str, catalog: FieldCatalog) -> Line:
    """One line.

    Raises:
        BadLine: it is none of the three.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict) and ("change" in data or data.get("type") in ANSWERS):
        if why := unkept(data):
            raise BadLine(why)
        at = read_instant(data.get("at"), None)
        if at is None:
            raise BadLine("at takes an instant such as 2026-03-01T08:00:00Z")
        what = _change(data, catalog) if "change" in data else _answer(data)
        return Line(at, what, file, number)
    event = read_event(text, number, file)
    if not isinstance(event, EventRow):
        raise BadLine(event.reason)
    return Line(event.at, event, file, number)


def names_of(line: Line) -> Iterator[tuple[str, str]]:
    """The records a line speaks of, which must be there: ``account`` or ``person``, and the id."""
    match line.what:
        case EventRow(account=account, person=person):
            named = {"account": account, "person": person}
        case RecordChange(entity="relation" | "opportunity" | "person") as change:
            named = {"account": change.account, "person": change.person}
        case Answer(account=account):
            named = {"account": account}
        case _:
            named = {}
    yield from ((kind, name) for kind, name in named.items() if name is not None)


def _change(data: dict[str, Any], catalog: FieldCatalog) -> RecordChange:
    _only(data, ("at", "change", "id", "set"))
    try:
        return read_change(data["change"], data.get("id"), data.get("set"), catalog)
    except BadChange as error:
        raise BadLine(str(error)) from None


def _answer(data: dict[str, Any]) -> Answer:
    _only(data, ("at", "type", "account_id", "node", "accessors", "path"))
    accessors, path = data.get("accessors") or {}, data.get("path")
    if data.get("account_id") is None or not isinstance(data.get("node"), str):
        raise BadLine("an answer names its account_id and its node")
    if not isinstance(accessors, dict) or not isinstance(path, str | None):
        raise BadLine("an answer has accessors (a mapping) or a path (a label)")
    return Answer(data["type"], str(data["account_id"]), data["node"], accessors, path)


def _only(data: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in data:
        if key not in known:
            raise BadLine(f"no key {key} here (there are {', '.join(known)})")
