"""One test on one value as SQL: true or false, never unknown.

A null fails every test but ``empty: true`` and the negative operators; strings compare after Unicode
case folding; the same operator on several operands means *or* (a negative one: none of).

Where a test only picks rows, what is unknown picks none, just as what is false: it is then written
without what makes it known, for the planner can neither estimate a ``coalesce`` nor find an index for it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal

from caravan.journeys.conditions.binder import Binder
from caravan.journeys.conditions.model import Check, Operand, Test
from caravan.journeys.conditions.operators import NEGATIVE, RELATIVE
from caravan.journeys.conditions.values import SQL_TYPE
from caravan.journeys.durations import Span, duration_of
from caravan.journeys.fields import FieldType
from caravan.journeys.time import local_day, shift

POSITIVE_OF = {"is_not": "is", "not_starts_with": "starts_with", "not_contains": "contains"}

COMPARE = {
    "is": "=",
    "greater_than": ">", "less_than": "<", "at_least": ">=", "at_most": "<=",
    "before": "<", "after": ">", "on_or_before": "<=", "on_or_after": ">=",
}  # fmt: skip

#: how a string operator reads one folded operand
FOLDED = {"is": "{0} = {1}", "starts_with": "starts_with({0}, {1})", "contains": "strpos({0}, {1}) > 0"}  # fmt: skip

#: the text of a date, as a kind of value of its own
DayText = Literal["day text"]
DAY_TEXT: DayText = "day text"

#: as many words are parameters of their own
FEW = 8


def sql_of_test(test: Test, value: str, binder: Binder, *, picking: bool = False) -> str:
    """A test on an SQL value, as a predicate.

    Args:
        test: what is asked.
        value: the SQL value.
        binder: takes the parameters.
        picking: it picks rows (stands in a ``where``, and under no ``not``): it may be unknown.
    """
    checked = [sql_of_check(check, value, test.type, binder, picking) for check in test.checks]
    return " and ".join(checked) or "true"


def sql_of_check(check: Check, value: str, kind: FieldType, binder: Binder, picking: bool) -> str:
    """One operator on one value."""
    if check.operator == "empty":
        return f"{value} is {'' if check.operands[0] else 'not '}null"
    if check.operator in NEGATIVE:
        positive = Check(operator=POSITIVE_OF[check.operator], operands=check.operands)
        return f"not {sql_of_check(positive, value, kind, binder, False)}"
    answer = _answer(check, value, kind, binder)
    return f"({answer})" if picking else f"coalesce({answer}, false)"


def sql_of_days(test: Test, text: str, binder: Binder) -> str:
    """What a test on dates leaves of them by their text alone, which sorts as the days do.

    To read a text as a date, and be sure that it is one, costs more than all the rest. This spares it
    for those out of bounds; the test itself still has the last word.
    """
    bounded = [
        _answer(check, f'(left({text}, 10) collate "C")', DAY_TEXT, binder)
        for check in test.checks
        if check.operator in RELATIVE
        or check.operator == "between"
        or (check.operator in COMPARE and len(check.operands) == 1)
    ]
    return " and ".join(f"({one})" for one in bounded) or "true"


def _answer(check: Check, value: str, kind: FieldType | DayText, binder: Binder) -> str:
    """True, false, or unknown where there is no value."""
    if check.operator == "between":
        low, high = (_bound(operand, kind, binder) for operand in check.operands)
        return f"{value} between {low} and {high}"
    if check.operator in RELATIVE:
        spans = [duration_of(str(operand)) for operand in check.operands]
        return _relative(check.operator, value, spans, kind, binder)
    if kind == "string":
        return _text(check.operator, value, check.operands, binder)
    return _compared(check.operator, value, check.operands, kind, binder)


def _text(operator: str, value: str, operands: Sequence[Operand], binder: Binder) -> str:
    folded, form = f"casefold({value})", FOLDED[operator]
    if len(operands) <= FEW:
        # each a constant, which is folded once and can be looked up in an index
        each = [f"casefold({binder.literal(str(one), 'text')})" for one in operands]
        if operator == "is" and len(each) > 1:
            return f"{folded} in ({', '.join(each)})"
        return " or ".join(form.format(folded, one) for one in each)
    # one array, not a parameter for each: a statement takes only so many
    many = f"unnest({binder.literal([str(one) for one in operands], 'text[]')}) as one (text)"
    if operator == "is":
        return f"{folded} in (select casefold(one.text) from {many})"
    return f"exists (select from {many} where {form.format(folded, 'casefold(one.text)')})"


def _compared(
    operator: str,
    value: str,
    operands: Sequence[Operand],
    kind: FieldType | DayText,
    binder: Binder,
) -> str:
    if len(operands) == 1:
        return f"{value} {COMPARE[operator]} {_bound(operands[0], kind, binder)}"
    many = binder.literal([_sent(operand, kind) for operand in operands], f"{_sent_as(kind)}[]")
    return f"{value} {COMPARE[operator]} any({many}::{SQL_TYPE[kind]}[])"


def _bound(operand: Operand, kind: FieldType | DayText, binder: Binder) -> str:
    sent = binder.literal(_sent(operand, kind), _sent_as(kind))
    return sent if kind == DAY_TEXT else f"{sent}::{SQL_TYPE[kind]}"


def _sent(operand: Operand, kind: FieldType | DayText) -> Any:
    """An operand as it goes to the database: only truth values as what they are.

    Dates go as text, for drivers send the last day of all, 9999-12-31, as infinity.
    """
    return operand if kind == "boolean" else str(operand)


def _sent_as(kind: FieldType | DayText) -> str:
    return "boolean" if kind == "boolean" else "text"


def _relative(
    operator: str, value: str, spans: Sequence[Span], kind: FieldType | DayText, binder: Binder
) -> str:
    """A test against domain time; of several durations the widest decides."""
    back = [-span for span in spans]
    match operator:
        case "in_past":
            return f"{value} between {_reached(min, back, kind, binder)} and {_now(kind, binder)}"
        case "in_past_before":
            return f"{value} < {_reached(max, back, kind, binder)}"
        case "in_future":
            return f"{value} between {_now(kind, binder)} and {_reached(max, spans, kind, binder)}"
        case _:
            return f"{value} > {_reached(min, spans, kind, binder)}"


def _now(kind: FieldType | DayText, binder: Binder) -> str:
    return _moment("now", lambda at: at, kind, binder)


def _reached(
    pick: Callable[..., datetime], spans: Sequence[Span], kind: FieldType | DayText, binder: Binder
) -> str:
    """Domain time moved by durations: the earliest or the latest of what that gives."""
    zone = binder.zone
    what = f"{pick.__name__} {', '.join(map(str, spans))}"
    return _moment(what, lambda at: pick(shift(at, span, zone) for span in spans), kind, binder)


def _moment(
    what: str, move: Callable[[datetime], datetime], kind: FieldType | DayText, binder: Binder
) -> str:
    """An instant computed from domain time, or the day it falls on in the zone."""
    zone = binder.zone
    if kind == DAY_TEXT:
        return binder.derived("as_of", "text", what, lambda at: f"{local_day(move(at), zone)}")
    if kind == "date":
        return binder.derived("as_of", "date", what, lambda at: local_day(move(at), zone))
    return binder.derived("as_of", "timestamptz", what, move)


def described(tests: dict[str, Test]) -> str:
    """Tests in a few words, for the evidence: ``job_title starts_with Chief or VP``."""
    checks = [
        f"{field} {check.operator} {' or '.join(map(str, check.operands))}"
        for field, test in tests.items()
        for check in test.checks
    ]
    text = ", ".join(checks)
    return text if len(text) <= 200 else f"{text[:199]}…"
