"""Reading events: what happened, and what is asked of it, for ``did`` and for listens."""

from collections.abc import Iterable
from dataclasses import dataclass

from caravan.journeys.conditions import group_names
from caravan.journeys.conditions.model import Test
from caravan.journeys.conditions.reading_tests import parse_free_tests, parse_test
from caravan.journeys.conditions.scope import Scope, nearest
from caravan.journeys.events import BOTS, EVENTS, GENERIC
from caravan.journeys.fields import PERSONA, Entity, FieldType
from caravan.journeys.problems import Path, Report
from caravan.journeys.written import storable

#: the record whose field an event says has changed
CHANGES: dict[str, Entity] = {
    "account_changed": "account",
    "person_changed": "person",
    "opportunity_changed": "opportunity",
}


@dataclass(frozen=True)
class EventTests:
    """An event with what is asked of it: the activity's type and tests of its fields."""

    type: str
    where: dict[str, Test]


def parse_event(
    name: str, arguments: dict[str, object], path: Path, scope: Scope, report: Report
) -> EventTests | None:
    """Read an event of language.md with its arguments; ``event`` takes any type and fields."""
    if name == GENERIC:
        for key in arguments:
            if key not in ("type", "where"):
                report("unknown-key", (*path, key), f"event has no argument {key}")
        return parse_free_event(
            arguments.get("type"), arguments.get("where"), path, (*path, "where"), report
        )
    if name not in EVENTS:
        report(
            "unknown-event",
            path,
            f"no event {name}{nearest(name, EVENTS)}; any type: event {{type: …}}",
        )
        return None
    tests = {
        key: _argument(name, key, raw, arguments, (*path, key), scope, report)
        for key, raw in arguments.items()
    }
    good = {key: test for key, test in tests.items() if test is not None}
    return EventTests(name, good) if len(good) == len(tests) else None


def parse_free_event(
    kind: object, where: object, path: Path, where_path: Path, report: Report
) -> EventTests | None:
    """Read an event of any type."""
    if not isinstance(kind, str) or not kind or not storable(kind):
        report("missing-key", path, "event needs a type: the name of what happened")
        return None
    tests = parse_free_tests(where, where_path, report)
    return None if tests is None else EventTests(kind, tests)


def _argument(
    event: str,
    key: str,
    raw: object,
    arguments: dict[str, object],
    path: Path,
    scope: Scope,
    report: Report,
) -> Test | None:
    """One argument as a test of the activity's field of that name."""
    known = EVENTS[event]
    if key == BOTS and key in known.tests and not isinstance(raw, bool):
        report("bad-value", path, f"{BOTS} takes true or false: whether what bots did counts too")
        return None
    if key in known.tests:
        return parse_test(raw, _type_of(event, key, arguments, scope), path, report)
    if key not in known.names:
        near = nearest(key, (*known.names, *known.tests))
        report("unknown-key", path, f"{event} has no argument {key}{near}")
        return None
    test = parse_test(raw, "string", path, report)
    if test is None:
        return None
    if known.of_group:
        what = "stage" if key in ("to", "from") else key
        interests = group_names.interests_asked(arguments.get("solution_interest"))
        fine = group_names.names_known(what, test, interests, path, scope, report)
    else:
        fine = _names_known(event, key, test, path, scope, report)
    if not fine:
        return None
    return test


def _type_of(event: str, key: str, arguments: dict[str, object], scope: Scope) -> FieldType:
    """``to`` and ``from`` of a change are of the changed field's type."""
    written = EVENTS[event].tests[key]
    if key in ("to", "from") and event in CHANGES:
        return scope.catalog.of(CHANGES[event]).get(str(arguments.get("field")), written)
    return written


def _names_known(
    event: str, key: str, test: Test, path: Path, scope: Scope, report: Report
) -> bool:
    """Whether every name that a test mentions exists, where we know what exists."""
    known: Iterable[str]
    if key == "template" and scope.templates is not None:
        code, what, known = "unknown-template", "no e-mail template", scope.templates
    elif key == "score":
        code, what, known = "unknown-score", "the workspace has no score", scope.catalog.scores
    elif key == "field" and event in CHANGES:
        entity = CHANGES[event]
        code, what = "unknown-field", f"{entity} has no field"
        known = [*scope.catalog.of(entity), *((PERSONA,) if entity == "person" else ())]
    else:
        return True
    unknown = [
        operand
        for check in test.checks
        if check.operator in ("is", "is_not")
        for operand in check.operands
        if operand not in known
    ]
    for name in unknown:
        report(code, path, f"{what} {name}{nearest(name, known)}")
    return not unknown
