"""What the files of a workspace's data have in common: rows that are bad, ids, and progress by bytes."""

import io
import re
from dataclasses import dataclass
from typing import Any, Protocol

LONGEST_ID = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NOT_UTF8 = "the row is not UTF-8"


@dataclass(frozen=True)
class BadRow:
    """A row that is not loaded, and why; or (as a warning) what of a file is left out."""

    file: str
    line: int
    reason: str


class Source(Protocol):
    """A file that is being read."""

    bytes_read: int


class Counted(io.RawIOBase):
    """Counts the bytes as they are read, for progress bars."""

    def __init__(self, raw: Any, source: Source) -> None:
        self._raw = raw
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count: int = self._raw.readinto(buffer)
        self._source.bytes_read += count
        return count


def is_text(value: str) -> bool:
    """Whether a value is whole characters: no bytes that were not UTF-8, no half surrogate pairs."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def bad_id(value: str) -> str | None:
    """Why a text is no id, or None."""
    if not value:
        return "is empty"
    if len(value) > LONGEST_ID:
        return f"is longer than {LONGEST_ID} characters"
    if _CONTROL.search(value):
        return "has control characters"
    return None
