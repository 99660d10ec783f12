"""On which line of a text a place is, asked for many places of a long text."""

import re
from bisect import bisect_left


class Lines:
    """The lines of a text, from 1."""

    def __init__(self, text: str) -> None:
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def of(self, index: int) -> int:
        """The line a place is on; before the text is its first."""
        return bisect_left(self._ends, index) + 1
