"""Reading tests: a scalar (*is*), a list (*is one of*) or a mapping of operators, ANDed."""

from caravan.journeys.conditions.model import Check, Operand, Test
from caravan.journeys.conditions.operators import (
    BOOLEAN,
    MOMENT,
    NUMBER,
    OPERATORS,
    STRING,
    UnfitOperand,
    read_operand,
)
from caravan.journeys.conditions.scope import Scope, nearest
from caravan.journeys.fields import ENGAGEMENT, PERSONA, Entity, FieldType
from caravan.journeys.problems import Path, Report
from caravan.journeys.written import storable

EVERY_OPERATOR = frozenset(STRING + NUMBER + BOOLEAN + MOMENT)

#: operators that tell the type of a field nobody declared
TELLING: dict[FieldType, frozenset[str]] = {
    "string": frozenset(STRING).difference(NUMBER, MOMENT),
    "number": frozenset(NUMBER).difference(STRING, MOMENT),
    "datetime": frozenset(MOMENT).difference(STRING, NUMBER),
}


def parse_test(raw: object, kind: FieldType, path: Path, report: Report) -> Test | None:
    """Read one test on a value of a type; None where it cannot be used."""
    if isinstance(raw, dict):
        checks = [
            _check(str(operator), operand, kind, (*path, operator), report)
            for operator, operand in raw.items()
        ]
    else:
        checks = [_check("is", raw, kind, path, report)]
    good = tuple(check for check in checks if check is not None)
    return Test(type=kind, checks=good) if len(good) == len(checks) else None


def parse_tests(
    raw: object, entity: Entity, path: Path, scope: Scope, report: Report
) -> dict[str, Test] | None:
    """Read ``{field: test…}`` of an entity; None where any of them cannot be used."""
    if not isinstance(raw, dict):
        report("bad-value", path, f"{entity} takes a mapping of fields to tests")
        return None
    fields = scope.catalog.of(entity)
    tests: dict[str, Test] = {}
    for field, test in raw.items():
        place = (*path, field)
        if field in fields:
            parsed = parse_test(test, fields[field], place, report)
            if parsed is not None:
                tests[field] = parsed
        elif entity == "person" and (field == ENGAGEMENT or field in scope.catalog.scores):
            score = _score(field, test, place, scope, report)
            if score is not None:
                tests[field] = score
        elif entity == "person" and field == PERSONA:
            persona = parse_persona(test, place, scope, report)
            if persona is not None:
                tests[field] = persona
        else:
            remedy = nearest(field, fields) or f"; name it under fields: {entity}: of the workspace"
            report("unknown-field", place, f"{entity} has no field {field}{remedy}")
    return tests if len(tests) == len(raw) else None


def _score(name: str, raw: object, path: Path, scope: Scope, report: Report) -> Test | None:
    """A test on a score of the person, or on the engagement: both live in the engage store."""
    if scope.store == "platform":
        what = name if name == ENGAGEMENT else f"the score {name}"
        report(
            "wrong-context",
            path,
            f"{what} lives in the engage store only; an audience is evaluated in the Platform",
        )
        return None
    if name == ENGAGEMENT:
        test, start = parse_test(raw, "number", path, report), 0
    else:
        test, start = parse_test(raw, "integer", path, report), scope.catalog.scores[name]
    return test and test.model_copy(update={"start": start})


def parse_persona(raw: object, path: Path, scope: Scope, report: Report) -> Test | None:
    """A test on the persona of somebody: by name, or whether there is one."""
    test = parse_test(raw, "string", path, report)
    if test is None:
        return None
    fine = True
    for check in test.checks:
        if check.operator not in ("is", "is_not", "empty"):
            report("bad-value", path, f"a persona is, is_not or is empty, not {check.operator}")
            fine = False
        elif check.operator != "empty" and scope.personas is not None:
            for name in check.operands:
                if name != "" and name not in scope.personas:
                    near = nearest(name, scope.personas)
                    report("unknown-persona", path, f"the workspace has no persona {name}{near}")
                    fine = False
    return test if fine else None


def parse_free_tests(raw: object, path: Path, report: Report) -> dict[str, Test] | None:
    """Read tests of fields that no catalog knows: their type follows from what is asked of them."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        report("bad-value", path, "where takes a mapping of fields to tests")
        return None
    tests: dict[str, Test] = {}
    for field, test in raw.items():
        place = (*path, field)
        if not storable(field):
            report("bad-value", place, "a field's name cannot hold NUL or half a character")
            continue
        parsed = parse_test(test, _asked_type(test), place, report)
        if parsed is not None:
            tests[field] = parsed
    return tests if len(tests) == len(raw) else None


def _asked_type(test: object) -> FieldType:
    """By an operator that only one type has, else by the operands."""
    checks = test if isinstance(test, dict) else {"is": test}
    for kind, operators in TELLING.items():
        if operators.intersection(checks):
            return kind
    operands = [
        one
        for operator, operand in checks.items()
        if operator != "empty"
        for one in (operand if isinstance(operand, list) else [operand])
    ]
    if operands and all(isinstance(one, bool) for one in operands):
        return "boolean"
    if operands and all(isinstance(one, int | float) for one in operands):
        return "number"
    return "datetime" if "between" in checks else "string"


def _check(operator: str, raw: object, kind: FieldType, path: Path, report: Report) -> Check | None:
    known = OPERATORS[kind]
    if operator not in known:
        if operator in EVERY_OPERATOR:
            report(
                "operator-type-mismatch",
                path,
                f"{operator} does not fit a {kind} field; it takes {', '.join(known)}",
            )
        else:
            report("unknown-key", path, f"no operator {operator}{nearest(operator, known)}")
        return None
    operands = raw if isinstance(raw, list) else [raw]
    if operator == "between" and len(operands) != 2:
        report("bad-value", path, "between takes two values: [from, to]")
        return None
    if not operands or (operator == "empty" and isinstance(raw, list)):
        expected = "true or false" if operator == "empty" else "at least one value"
        report("bad-value", path, f"{operator} takes {expected}")
        return None
    try:
        read = tuple(_operand(operand, operator, kind) for operand in operands)
    except UnfitOperand as error:
        report("bad-value", path, f"{operator} on a {kind} field: {error}")
        return None
    return Check(operator=operator, operands=read)


def _operand(raw: object, operator: str, kind: FieldType) -> Operand:
    if raw is None and operator in ("is", "is_not") and kind == "string":
        return ""  # null and the empty string are the same
    return read_operand(raw, operator, kind)
