"""Keeping Liquid out of the way of a reader of XML or HTML, which would trip over its quotes and
angle brackets: each piece becomes a plain word while the reader works, and comes back afterwards."""

import re
from dataclasses import dataclass

# as the Liquid lexer sees them: raw and comment blocks are one piece, whatever stands inside
_PIECE = re.compile(
    r"\{%-?\s*(?P<block>raw|comment)\b.*?\{%-?\s*end(?P=block)\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL,
)


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
    return [match.span() for match in _PIECE.finditer(text)]


def shield(text: str) -> Shielded:
    """Put a word in place of every Liquid piece of a text."""
    word = "liquid"
    while word in text.lower():
        word += "q"
    pieces: list[str] = []

    def hide(match: re.Match[str]) -> str:
        pieces.append(match[0])
        return f"{word}{len(pieces) - 1}z"

    return Shielded(_PIECE.sub(hide, text), pieces, word)
