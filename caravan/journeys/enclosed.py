"""Parts of a text between an opening and a closing, found in one go however hostile the text.

A regular expression that looks for both looks for the closing to the end of the text from every opening that
has none. Here a closing that was missed once is not looked for again.
"""

import re
from collections.abc import Iterator, Mapping


def enclosed(
    text: str, opening: re.Pattern[str], closings: Mapping[str, re.Pattern[str]]
) -> Iterator[tuple[int, int]]:
    """Where the parts begin and end, in order; none lies in another, and what is not closed is none.

    Args:
        text: the text.
        opening: finds openings; what the group that took part last is, in small letters, says how it closes.
        closings: what closes each, to be found behind its opening.
    """
    missed: set[str] = set()
    at = 0
    while match := opening.search(text, at):
        at = match.end()
        kind = match[match.lastindex or 0].lower()
        if kind in missed:
            continue
        end = closings[kind].search(text, at)
        if end is None:
            missed.add(kind)
        else:
            at = end.end()
            yield match.start(), at
