"""Stamps: the as_of of a field as text that sorts like the instant it names (core.sql has the same)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def stamp(moment: datetime) -> str:
    """An instant as a stamp."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def raised(
    before: Mapping[str, Any],
    stamps_before: Mapping[str, str],
    fields: Mapping[str, Any],
    stamps: Mapping[str, str],
    now: str,
) -> dict[str, str]:
    """Stamps of a record that was written anew from older words.

    A reader takes a field by its stamp: where another value than before has a stamp that is not later, it is
    said now, or it would be said in vain. A field that nobody speaks of any more is cleared now. The stamp of a
    value that stays goes never back, for the reader has the later one.
    """
    result = dict(stamps)
    for name, known in stamps_before.items():
        differs = before.get(name) != fields.get(name)
        if result.get(name, known) <= known:
            result[name] = max(now, known) if differs else known
    return result
