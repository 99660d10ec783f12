"""The text alternative of an HTML mail: what a person without HTML would want to read.

It is derived from the template once, as a Liquid text of its own, so that a message costs a second
rendering and not a second reading of its HTML. Where only the rendered HTML can tell what is shown
(Liquid that opens tags, hides parts or makes markup), that is read, message by message.
"""

import re
from html.parser import HTMLParser

from caravan.journeys.shield import Shielded, shield
from caravan.journeys.visible_text import tame

_SPACES = re.compile(r"[ \t\r\f\v]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_BLOCKS = frozenset(
    {"p", "div", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "br", "hr"}
)
_VOID = frozenset({"br", "hr"})
_CELLS = frozenset({"td", "th"})
_HIDDEN = frozenset({"style", "script", "head", "title"})
_DISPLAY_NONE = re.compile(r"display\s*:\s*none", re.IGNORECASE)

# white space that Liquid takes away belongs to the HTML, where it means less than in a text
_TRIM_BEFORE = re.compile(r"\s*(\{[{%])-")
_TRIM_BEHIND = re.compile(r"-([%}]\})\s*")
# pieces whose value is markup, an entity or verbatim text: right in HTML, not in a text
_MAKES_MARKUP = re.compile(
    r"<\s*/?[a-z!]|&|\|\s*(safe|escape|escape_once|newline_to_br)\b|^\{%\s*raw\b", re.IGNORECASE
)


def text_of(html: str) -> str:
    """Words, one block a line, links behind their words; hidden preheaders are left out."""
    reader = _Reader()
    reader.feed(tame(html))
    reader.close()
    return tidied("".join(reader.out))


def text_template(html: str) -> str | None:
    """The Liquid text that renders to what ``text_of`` makes of the rendered HTML.

    None where it cannot be told before rendering. White space within data may differ.
    """
    trimmed = _TRIM_BEHIND.sub(r"\1", _TRIM_BEFORE.sub(r"\1", html))
    hidden = shield(trimmed)
    if any(_MAKES_MARKUP.search(piece) for piece in hidden.pieces):
        return None
    reader = _TemplateReader(hidden)
    reader.feed(tame(hidden.text))
    reader.close()
    text = tidied("".join(reader.out))
    if reader.unclear or "{{" in text or "{%" in text:
        return None
    return hidden.restored(text)


def tidied(text: str) -> str:
    """Single spaces, no blank ends of lines, at most one empty line, no empty link."""
    text = _SPACES.sub(" ", text.replace(" ()", "")).replace(" \n", "\n").replace("\n ", "\n")
    return _BLANK_LINES.sub("\n\n", text).strip() + "\n"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.hidden: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "body":
            self.hidden.clear()  # HTML lets a head end without saying so
        if tag in _HIDDEN or (tag == "div" and _DISPLAY_NONE.search(given.get("style") or "")):
            self.hidden.append(tag)
        elif self.hidden:
            if tag == self.hidden[-1]:
                self.hidden.append(tag)
            return
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag == "img" and given.get("alt"):
            self.out.append(f" {given['alt']} ")
        if tag in _BLOCKS:
            self.out.append("\n")
        if tag in _CELLS:
            self.out.append(" ")
        if tag == "li":
            self.out.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if self.hidden:
            if tag == self.hidden[-1]:
                self.hidden.pop()
            return
        if tag == "a" and self.links:
            link = self.links.pop()
            if not link.startswith("#"):
                self.out.append(f" ({link})")
        if tag in _BLOCKS - _VOID:  # `<br/>` is said to start and to end
            self.out.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.out.append(data.replace("\n", " "))


class _TemplateReader(_Reader):
    """Reads a template; ``unclear`` once a Liquid tag stands where it may change what is shown:
    within a tag, a comment, a link or a hidden part. A link's address may depend on tags."""

    def __init__(self, template: Shielded) -> None:
        super().__init__()
        self.unclear = False
        self._words = template.words
        self._is_tag = [piece.startswith("{%") for piece in template.pieces]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            readable = (tag, name) in {("a", "href"), ("img", "alt")}
            self._look(name if readable else f"{name} {value}")
        super().handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self.hidden or self.links:
            self._look(data)
        super().handle_data(data)

    def handle_comment(self, data: str) -> None:
        self._look(data)

    def _look(self, text: str) -> None:
        if any(self._is_tag[int(number)] for number in self._words.findall(text)):
            self.unclear = True
