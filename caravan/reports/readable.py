"""Values as a person reads them, the same on a terminal and in a fact."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from caravan.journeys.unseen import in_one_line

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def readable(value: Any) -> str:
    """A value as a person reads it, in one line."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{readable(key)} {readable(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(readable(inner) for inner in value)
    text = str(value)
    if is_instant(text):
        return readable(datetime.fromisoformat(text))
    return in_one_line(text)


def is_instant(value: Any) -> bool:
    """Whether it is an instant, also one that is written as JSON has it."""
    return isinstance(value, datetime) or _INSTANT.fullmatch(str(value)) is not None
