"""Which operators a field's type has, which are negative, and how operands are read."""

import math
import re
from datetime import UTC, date, datetime

from caravan.journeys.conditions.model import Operand
from caravan.journeys.durations import parse_duration
from caravan.journeys.fields import FieldType
from caravan.journeys.written import as_written, storable

STRING = ("is", "is_not", "starts_with", "not_starts_with", "contains", "not_contains", "empty")
NUMBER = ("is", "is_not", "greater_than", "less_than", "at_least", "at_most", "between", "empty")
BOOLEAN = ("is", "is_not", "empty")
MOMENT = (
    "is", "is_not", "before", "after", "on_or_before", "on_or_after", "between",
    "in_past", "in_past_before", "in_future", "in_future_after", "empty",
)  # fmt: skip

OPERATORS: dict[FieldType, tuple[str, ...]] = {
    "string": STRING,
    "integer": NUMBER,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "date": MOMENT,
    "datetime": MOMENT,
}
NEGATIVE = frozenset({"is_not", "not_starts_with", "not_contains"})
RELATIVE = frozenset({"in_past", "in_past_before", "in_future", "in_future_after"})

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class UnfitOperand(ValueError):
    """An operand is of another type than the field."""


def read_operand(raw: object, operator: str, kind: FieldType) -> Operand:
    """An operand as the plan keeps it: text, number, boolean, ISO date or instant in UTC.

    Raises:
        UnfitOperand: says what was expected.
    """
    if operator == "empty":
        if isinstance(raw, bool):
            return raw
        raise UnfitOperand("empty takes true or false")
    if operator in RELATIVE:
        if isinstance(raw, str) and parse_duration(raw) is not None:
            return raw
        raise UnfitOperand(f"{operator} takes a duration, for example 30 days")
    return read_value(raw, kind)


def read_value(raw: object, kind: FieldType) -> Operand:
    """A value of a field's type, as records keep it.

    Raises:
        UnfitOperand: says what was expected.
    """
    if kind == "string":
        return read_text(raw)
    if kind == "boolean":
        if isinstance(raw, bool):
            return raw
        raise UnfitOperand("true or false was expected")
    if kind in ("integer", "number"):
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
            raise UnfitOperand("a number was expected")
        if kind == "integer" and raw != int(raw):
            raise UnfitOperand("a whole number was expected")
        return int(raw) if raw == int(raw) else float(raw)
    return read_moment(raw if isinstance(raw, str) else "", kind)


def read_text(raw: object) -> str:
    """A text as it was written: ``0420`` keeps its nought, ``true`` is a word.

    Raises:
        UnfitOperand: it is none, or no database could hold it.
    """
    if isinstance(raw, dict | list) or raw is None:
        raise UnfitOperand("a text was expected")
    text = as_written(raw)
    if not storable(text):
        raise UnfitOperand("a text cannot hold NUL or half a character")
    return text


def read_moment(text: str, kind: FieldType) -> str:
    """An ISO date, or an instant normalised to UTC.

    Raises:
        UnfitOperand: it is neither.
    """
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text)
            return text if kind == "date" else f"{day.isoformat()}T00:00:00Z"
        instant = datetime.fromisoformat(text)
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnfitOperand(
            "a date such as 2026-12-01 was expected"
            if kind == "date"
            else "an instant such as 2026-12-01T09:00:00Z was expected"
        ) from None
    if kind == "date":
        return instant.date().isoformat()
    return instant.isoformat().replace("+00:00", "Z")
