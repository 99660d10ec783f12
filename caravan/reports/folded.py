"""A text as a person reads it: without case and accents, and through characters that nobody sees; word by word."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from unicodedata import category, normalize

from caravan.journeys.unseen import is_seen

#: Thai and Lao, Burmese, Korean (whose particles are written on), Khmer, Japanese, Chinese: no blanks tell where a word ends
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
#: there each letter is one, so that a name is found wherever it stands
_WORD = re.compile(rf"(?![\W_])[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
#: letters that have no accent to lose, as they are written where there are none
_PLAIN = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"}
)


class Folded:
    """``folded`` is the text, whose characters know where they stand in it as it was written."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._begins: list[int] = []  # of each folded character, where it is in the text
        folded = []
        for place, character in enumerate(text):
            letters = _folded(character)
            folded.append(letters)
            self._begins += [place] * len(letters)
        self.folded = "".join(folded)
        self.spans = [one.span() for one in _WORD.finditer(self.folded)]
        self.words = tuple(self.folded[start:end] for start, end in self.spans)

    @property
    def begins_with_capital(self) -> bool:
        return self.text[:1].isupper() or self.text[:1].istitle()

    def each_word(self) -> Iterator["Folded"]:
        for start, end in self.spans:
            first, last = self.span(start, end)
            yield Folded(self.text[first:last])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where folded characters stand in the text, with the accents and unseen characters behind the last."""
        behind = bisect_right(self._begins, self._begins[end - 1])
        last = self._begins[behind] if behind < len(self._begins) else len(self.text)
        return self._begins[start], last


@lru_cache(maxsize=10_000)
def _folded(character: str) -> str:
    """A character without case and accent; nothing for what has no look of its own."""
    letters = normalize("NFKD", character.casefold()).casefold().translate(_PLAIN)
    return "".join(
        one
        for one in letters
        if (is_seen(one) or one.isspace()) and not category(one).startswith("M")
    )
