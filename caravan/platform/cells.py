"""Cells of a CSV file: the value each stands for, by its field's type; an empty one is null."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from caravan.journeys.conditions.operators import UnfitOperand, read_moment
from caravan.journeys.fields import FieldType

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,2})?", re.ASCII)


def parser_of(kind: FieldType | None) -> Callable[[str], Any]:
    """What reads the cells of a field.

    It raises ``UnfitOperand`` where a cell is of another type, and says what was expected.
    """
    match kind:
        case "integer":
            return _integer
        case "number":
            return _number
        case "boolean":
            return _boolean
        case "date" | "datetime":
            return _moment(kind)
        case _:
            return _text


def _text(cell: str) -> str | None:
    if "\x00" in cell:
        raise UnfitOperand("has a NUL character")
    return cell or None


def _number(cell: str) -> int | float | None:
    text = cell.strip()
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise UnfitOperand("a number was expected, such as 1200 or 12.5")
    number = float(text)
    if not math.isfinite(number):
        raise UnfitOperand("a number of at most 308 digits was expected")
    written = Decimal(text)
    if written == written.to_integral_value():
        return int(written)  # of any size as it is written: a float has 15 digits for sure
    if Decimal(repr(number)) != written:
        raise UnfitOperand(
            "has more digits than a number keeps: at most 15 were expected where some are behind the point"
        )
    return number


def _integer(cell: str) -> int | None:
    number = _number(cell)
    if number is not None and not isinstance(number, int):
        raise UnfitOperand("a whole number was expected")
    return number


def _boolean(cell: str) -> bool | None:
    text = cell.strip().lower()
    if not text:
        return None
    if text in ("true", "yes", "y", "1"):
        return True
    if text in ("false", "no", "n", "0"):
        return False
    raise UnfitOperand("true or false was expected")


def _moment(kind: FieldType) -> Callable[[str], str | None]:
    def parse(cell: str) -> str | None:
        return read_moment(cell.strip(), kind) if cell.strip() else None

    return parse
