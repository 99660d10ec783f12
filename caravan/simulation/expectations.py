"""What a test expects against what came: every difference, none twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from caravan.journeys.documents import TestsDocument
from caravan.journeys.documents.tests import Expected, ExpectedEffect
from caravan.simulation.summary import BORDERS
from caravan.simulation.told import Told


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was expected."""

    line: int  # of the expectation, in its file
    account: str
    entry: int
    what: str  # entries, path, effects, exit, label
    expected: Any
    got: Any


def differences(test: TestsDocument, told: Told) -> list[Difference]:
    """All that is not as the document says; what it does not speak of is free."""
    entries: dict[str, dict[int, list[dict[str, Any]]]] = {}
    for line in told.lines:
        body = line.body
        entries.setdefault(body["account"], {}).setdefault(body["entry"], []).append(body)
    found: list[Difference] = []
    for expected in test.expect:
        found += _of_one(expected, entries.get(expected.account, {}))
    return found


def _of_one(expected: Expected, entries: dict[int, list[dict[str, Any]]]) -> list[Difference]:
    def difference(what: str, wanted: Any, got: Any) -> Difference:
        return Difference(expected.line, expected.account, expected.entry, what, wanted, got)

    found = []
    said = expected.said
    if "entries" in said and len(entries) != expected.entries:
        found.append(difference("entries", expected.entries, len(entries)))
    if not said - {"entries"} and "entries" in said:
        return found
    bodies = entries.get(expected.entry)
    if bodies is None:
        if "entries" not in said or expected.entries:
            found.append(difference("entry", expected.entry, None))
        return found
    path = [body["node"] for body in bodies if body["kind"] not in BORDERS]
    if "path" in said and path != list(expected.path):
        found.append(difference("path", list(expected.path), path))
    if "effects" in said:
        effects = [{"node": b["node"], **effect} for b in bodies for effect in b.get("effects", ())]
        missing = _missing(expected.effects, effects)
        if missing:
            found.append(difference("effects", missing, effects))
    ends = [body for body in bodies if body["kind"] == "exit"]
    reason = ends[0]["reason"] if ends else None
    label = ends[0].get("label") if ends else None
    if "exit" in said and reason != expected.exit:
        found.append(difference("exit", expected.exit, reason))
    if "label" in said and label != expected.label:
        found.append(difference("label", expected.label, label))
    return found


def _missing(
    expected: Sequence[ExpectedEffect], effects: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Expected effects that did not come; one that came answers one expectation."""
    left = list(effects)
    missing = []
    for one in expected:
        wanted = one.wanted
        match = next((effect for effect in left if wanted.items() <= effect.items()), None)
        if match is None:
            missing.append(wanted)
        else:
            left.remove(match)
    return missing
