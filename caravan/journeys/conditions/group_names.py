"""Names in conditions, events and actions on buying groups: solution interests, roles, stages."""

from collections.abc import Collection

from caravan.journeys.conditions.model import Test
from caravan.journeys.conditions.scope import Scope, nearest
from caravan.journeys.problems import Path, Report
from caravan.journeys.written import as_written

#: what is named by its key → the code and the words of who names none
NAMES = {
    "solution_interest": ("unknown-solution-interest", "no solution interest"),
    "role": ("unknown-role", "no role"),
    "stage": ("unknown-stage", "no stage"),
}


def interests_asked(raw: object) -> list[str]:
    """The solution interests a test as it is written asks for, whose roles and stages count then."""
    if isinstance(raw, dict):
        raw = raw.get("is")
    named = raw if isinstance(raw, list) else [raw]
    return [as_written(one) for one in named if not isinstance(one, dict | list | type(None))]


def names_known(
    what: str, test: Test, interests: Collection[str], path: Path, scope: Scope, report: Report
) -> bool:
    """Whether every name that a test asks for by *is* or *is_not* exists; those that do not are told."""
    known = [
        name_known(what, str(operand), interests, path, scope, report)
        for check in test.checks
        if check.operator in ("is", "is_not")
        for operand in check.operands
        if operand
    ]
    return all(known)


def name_known(
    what: str, name: str, interests: Collection[str], path: Path, scope: Scope, report: Report
) -> bool:
    """Whether a name exists, where we know what exists.

    Args:
        what: what it names, of ``NAMES``.
        name: as it is written.
        interests: the solution interests asked for beside it; none: any.
        path: where it stands.
        scope: what is known there.
        report: takes the problem.
    """
    if scope.groups is None:
        return True
    known: Collection[str] | None
    match what:
        case "role":
            known = scope.groups.roles_of(interests)
        case "stage":
            known = scope.groups.stages_of(interests)
        case _:
            known = scope.groups.interests
    if known is None or name in known:
        return True
    code, no_such = NAMES[what]
    of = f" of {' or '.join(interests)}" if interests and what != "solution_interest" else ""
    report(code, path, f"{no_such} {name}{of}{nearest(name, known)}")
    return False
