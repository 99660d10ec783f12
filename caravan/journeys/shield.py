"""Keeping Liquid out of the way of a reader of XML or HTML, which would trip over its quotes and
angle brackets: each piece becomes a plain word while the reader works, and comes back afterwards."""

import re
from dataclasses import dataclass

# as the Liquid lexer sees them: raw and comment blocks are one piece, whatever stands inside
_OPENING = re.compile(r"(\{\{)|(\{%)(?:-?\s*(raw|comment)\b)?")
_CLOSINGS = {"{{": re.compile(r"\}\}"), "{%": re.compile(r"%\}")}
_ENDS = {block: re.compile(rf"\{{%-?\s*end{block}\s*-?%\}}") for block in ("raw", "comment")}


@dataclass(frozen=True)
class Shielded:
    """A text whose Liquid pieces are plain words; ``pieces[n]`` is behind the word number n."""

    text: str
    pieces: list[str]
    _word: str

    @property
    def words(self) -> re.Pattern[str]:
        """Finds the words; group 1 is the piece's number."""
        return re.compile(self._word + r"(\d+)z")

    def restored(self, text: str) -> str:
        """The text with its pieces back."""
        return self.words.sub(lambda match: self.pieces[int(match[1])], text)


def pieces_of(text: str) -> list[tuple[int, int]]:
    """Where the Liquid pieces of a text begin and end."""
    missed: set[str] = (
        set()
    )  # what was looked for once and is not there: not to the end again and again
    found = []
    at = 0
    while match := _OPENING.search(text, at):
        at = match.start() + 2
        for closing, closer in ((match[3], _ENDS), (match[1] or match[2], _CLOSINGS)):
            if closing is None or closing in missed:
                continue
            end = closer[closing].search(text, match.end() if closing == match[3] else at)
            if end is not None:
                at = end.end()
                found.append((match.start(), at))
                break
            missed.add(closing)
    return found


def shield(text: str) -> Shielded:
    """Put a word in place of every Liquid piece of a text."""
    word = "liquid"
    while word in text.lower():
        word += "q"
    pieces: list[str] = []
    plain: list[str] = []
    at = 0
    for start, end in pieces_of(text):
        plain += [text[at:start], f"{word}{len(pieces)}z"]
        pieces.append(text[start:end])
        at = end
    return Shielded("".join([*plain, text[at:]]), pieces, word)
