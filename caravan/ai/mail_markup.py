"""What the mark-up of a mail that a model wrote may be: nothing that acts, and no link that is put together.

Mail programs take most of it out and pages that show the mail do not; people who approve read what a link says and
not what Liquid would make of it. Hand-written templates may do as they like: who wrote them answers for them.
"""

import re
from html.parser import HTMLParser
from textwrap import shorten

from caravan.ai.linked_hosts import ADDRESSED
from caravan.journeys.shield import Shielded, shield
from caravan.journeys.visible_text import tame

#: what runs, loads pages, asks for input, or changes where links lead; ``mj-raw`` is read by nobody
_ACTING = frozenset(
    {
        "script", "iframe", "frame", "frameset", "object", "embed", "applet", "portal", "form", "base", "link", "svg",
        "math", "mj-raw",
    }
)  # fmt: skip
#: what the converter of MJML itself links to: fonts
CONVERTED = frozenset({"link"})

_ADDRESSED = re.compile(rf"{ADDRESSED}$")
_HIDDEN_ADDRESS = re.compile(r"(?:url\(|@import)[^;@()]*\\", re.IGNORECASE)
_TOKEN = re.compile(
    r"""\{\{-?\s*(?:(?:account|person|my)\.\w+|unsubscribe_link|view_link)\s*(?:\|\s*default:\s*(?:'[^']*'|"[^"]*")\s*)?-?\}\}"""
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_TOKENS = "account|person|buying_group|my|now|unsubscribe_link|view_link|postal_address"
_RENAMED = re.compile(rf"\b(?:assign|capture|increment|decrement|for|tablerow)\s+(?:{_TOKENS})\b")


def acting_markup(text: str, *, but: frozenset[str] = frozenset()) -> list[str]:
    """What acts in HTML or MJML, or may: elements, attributes and addresses.

    Args:
        text: with Liquid or without.
        but: elements that may be there.
    """
    reader = _Reader(shield(text), but)
    reader.read(text=reader.template.text)
    return sorted(reader.acting)


def assembled_links(body: str) -> list[str]:
    """Where Liquid puts a link or a tag of a body together, or says something where nobody looks.

    A link is an address as it is written, or one token: what it leads to can be read.
    """
    reader = _Reader(shield(body), frozenset())
    reader.read(text=reader.template.text)
    return sorted(reader.assembled) + _misleading(reader.template.pieces)


def _misleading(pieces: list[str]) -> list[str]:
    """Liquid by which a token is another than it seems, or a branch stands where it is not seen as one."""
    wrong = []
    for piece in pieces:
        bare = _QUOTED.sub("''", piece)
        if piece.startswith("{{") and re.search(r"\bif\b", bare):
            wrong.append(f"{_shown(piece)} chooses within an output: write {{% if … %}}")
        if piece.startswith("{%") and _RENAMED.search(bare):
            wrong.append(f"{_shown(piece)} gives a token another value: choose another name")
        if re.match(r"\{%-?\s*liquid\b", piece):
            wrong.append("{% liquid %} stands there: write each of its tags by itself")
    return wrong


def _shown(text: str) -> str:
    return shorten(text, 200, placeholder=" …")


class _Reader(HTMLParser):
    def __init__(self, template: Shielded, but: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.template = template
        self.but = but
        self.acting: set[str] = set()
        self.assembled: set[str] = set()
        self._in_comment = False

    def read(self, text: str) -> None:
        if _HIDDEN_ADDRESS.search(text):
            self.acting.add("a style hides its address behind a backslash")
        self.feed(tame(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.template.words.search(tag):
            self.assembled.add("the name of a tag is put together by Liquid: write it")
        if tag in _ACTING - self.but:
            self.acting.add(f"<{tag}> has no place in a mail: leave it out")
        if tag == "meta" and any(
            name == "http-equiv" and "refresh" in (value or "").lower() for name, value in attrs
        ):
            self.acting.add("<meta http-equiv=refresh> has no place in a mail: leave it out")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if re.match(r"on[a-z]", name):
            self.acting.add(f"{name} of <{tag}> runs a script: leave it out")
        if self.template.words.search(name):
            self.assembled.add(
                f"Liquid stands in the tag <{tag}> and not in the value of an attribute"
            )
        if not self.template.words.search(value):
            return
        written = self.template.restored(value)
        if _ADDRESSED.search(name):
            if not _TOKEN.fullmatch(written.strip()):
                self.assembled.add(
                    f'{name}="{_shown(written)}" is put together: a link is an address as it is written, or one token such '
                    "as {{ my.link }}, with no filter but default"
                )
        elif "url(" in value.lower():
            self.assembled.add(f'{name}="{_shown(written)}" puts an address together: write it')

    def handle_comment(self, data: str) -> None:
        # Outlook shows what is in its conditional ones; what is within one more, nobody does
        if not self._in_comment:
            inner = _Reader(self.template, self.but)
            inner._in_comment = True
            inner.read(data)
            self.acting |= inner.acting
            self.assembled |= inner.assembled
