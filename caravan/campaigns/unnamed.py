"""Keeping back what says who somebody is: no text with a name, an address, a number or a web domain in it is told.

Fields that mean something else may hold them all the same: a role "Ann's deputy", an industry "see acme.example".
What is looked for, and how, ``reports/names.py`` says.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from caravan.journeys.unseen import in_one_line
from caravan.reports.names import KnownNames

#: characters of a text that is told; the rest is cut off
LONGEST = 80
#: characters of a text that is looked at: a longer one is kept back
LOOKED_AT = 2_000


class Unnamed:
    """Tells texts without what the records of an account are called and reached by."""

    def __init__(self, records: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """From ids and attributes."""
        self._known = KnownNames()
        for outside_id, attributes in records:
            self._known.know("somebody", outside_id, attributes)

    def __call__(self, value: object) -> str | None:
        """A text in one line, cut; None where it is empty, too long, or somebody could be told by it."""
        if not isinstance(value, str) or len(value) > LOOKED_AT:
            return None
        text = in_one_line(value).strip()
        return None if not text or self._known.found(text) else text[:LONGEST]
