"""Whether a mail says anything in words: without any its text alternative would be empty."""

import re
from html.parser import HTMLParser

from caravan.journeys.shield import Shielded, shield

_UNSEEN = frozenset({"style", "script", "head", "title", "mj-head"})
#: `<![` of which HTML knows nothing
_NO_SECTION = re.compile(r"<!\[(?!(?:if|else|endif|cdata)\b)", re.I)
_WORD = re.compile(r"\w")


def has_words(body: str) -> bool:
    """Whether HTML or MJML shows words, or what Liquid gives; pictures count by their ``alt``."""
    reader = _Reader(shield(body))
    reader.feed(tame(reader.template.text))
    reader.close()
    return reader.found


def tame(text: str) -> str:
    """The text without tags that never end, which the parser looks for again and again, or breaks at."""
    end = text.rfind(">") + 1
    return _NO_SECTION.sub("&lt;![", text[:end] + text[end:].replace("<", "&lt;"))


class _Reader(HTMLParser):
    def __init__(self, template: Shielded) -> None:
        super().__init__(convert_charrefs=True)
        self.template = template
        self.found = False
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("body", "mj-body"):
            self._unseen.clear()  # HTML lets a head end without saying so
        if tag in _UNSEEN:
            self._unseen.append(tag)
        if tag in ("img", "mj-image"):
            self.handle_data(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        if self._unseen and tag == self._unseen[-1]:
            self._unseen.pop()

    def handle_data(self, data: str) -> None:
        if not self._unseen and _WORD.search(self.template.words.sub(self._shown, data)):
            self.found = True

    def _shown(self, match: re.Match[str]) -> str:
        """An output is words, as far as anybody can tell; a tag shows nothing."""
        return "" if self.template.pieces[int(match[1])].startswith("{%") else "output"
