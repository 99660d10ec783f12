"""CSS inlined: the rules of a mail's style sheets as `style` attributes, for mailboxes that drop sheets.

An inliner reads a page into a tree and writes it anew. That is right for a page and wrong for a template:
what stands between the rows of a table would come to stand before it, and `{% if %}` around an opening tag
would be mended away. So the inliner is asked, on a copy without Liquid in which each opening tag bears a
number, what style each element gets, and only that is put into the text as it was written. Style sheets stay
where they are, with their media queries, as do the comments that Outlook reads.

What only sending can tell is left to the style sheet: an opening tag whose class, id or attributes depend on
Liquid, and rules that are made by Liquid.
"""

import re
from collections.abc import Iterable, Set
from html import escape, unescape
from html.parser import HTMLParser

import css_inline

from caravan.journeys.enclosed import enclosed
from caravan.journeys.shield import Shielded, shield

#: elements within elements that the inliner, which recurses, is given; a hundred times as many end it
MOST_DEPTH = 500

_OPAQUE = re.compile(r"(<!--)|(<!\[)|<(script|title|textarea|xmp)\b", re.I)
_OPAQUE_ENDS = {"<!--": re.compile("-->"), "<![": re.compile(r"\]>")} | {
    name: re.compile(rf"</{name}\s*>", re.I) for name in ("script", "title", "textarea", "xmp")
}
_STYLE = re.compile(r"<(style)\b[^<>]*>", re.I)
_STYLE_ENDS = {"style": re.compile(r"</style\s*>", re.I)}
_STYLE_PARTS = re.compile(r"<style\b(?P<attributes>[^>]*)>(?P<css>.*)</style\s*>", re.I | re.S)
_NEXT_MARK = re.compile(r"[{};]")
_IMPORT = re.compile(r"@import\b[^;]*(;|\Z)", re.I)
_OPENING = re.compile(
    r"""<([a-zA-Z][\w:-]*+)((?:[^<>"'\s/]++|/(?!>)|\s++(?!/?>)|"[^"]*+"|'[^']*+')*+)(\s*+/?)>"""
)
_CLOSING = re.compile(r"</([a-zA-Z][\w:-]*)")
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
#: their ends may be left out: they are not within each other
_ENDS_ITSELF = frozenset({"p", "li", "td", "th", "tr", "dt", "dd", "option", "thead", "tbody"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_UNSTYLED = frozenset({"html", "head", "title", "meta", "link", "style", "script", "base"})
#: none of these may decide by Liquid how an element looks
_DECIDING = frozenset({"class", "id"})
_NUMBER = "data-number"


def inlined(html: str, *, but: Set[str] = frozenset()) -> str:
    """Put the rules of the style sheets into the elements they are of.

    Nothing is fetched: sheets that are linked or imported stay what they are.

    Args:
        html: with its Liquid.
        but: style sheets, by their text, that are not to be inlined.
    """
    hidden = shield(html)
    sheets = [css for css in _sheets(hidden) if css.strip() and css.strip() not in but]
    if not sheets:
        return html
    tags = [tag for tag in _opening_tags(hidden.text) if tag[1].lower() not in _UNSTYLED]
    if _nested_too_deeply(hidden.text):
        return html
    styles = _styles(_copy(hidden, tags, sheets))
    pieces, at = [], 0
    for number, match in enumerate(tags):
        style = styles.get(number)
        if style and not _undecided(hidden, match[2]):
            pieces += [hidden.text[at : match.start()], _styled(hidden, match, style)]
            at = match.end()
    return hidden.restored("".join([*pieces, hidden.text[at:]]))


def _sheets(hidden: Shielded) -> list[str]:
    """The style sheets that can be told before sending; those for some media only are not for all."""
    told = _without_opaque(hidden.text)
    found = []
    for start, end in enclosed(told, _STYLE, _STYLE_ENDS):
        match = _STYLE_PARTS.fullmatch(told, start, end)
        assert match is not None
        attributes = match["attributes"].lower()
        if hidden.words.search(attributes) or ("media" in attributes and "all" not in attributes):
            continue
        css = _IMPORT.sub("", match["css"])
        if all(_is_of_a_value(css, word.start()) for word in hidden.words.finditer(css)):
            found.append(css)
    return found


def _is_of_a_value(css: str, place: int) -> bool:
    """Whether a word stands in the value of a declaration."""
    before = max(css.rfind(mark, 0, place) for mark in "{};:")
    behind = _NEXT_MARK.search(css, place)
    return before >= 0 and css[before] == ":" and (behind is None or behind[0] != "{")


def _opening_tags(text: str) -> list[re.Match[str]]:
    return list(_OPENING.finditer(_without_styles(_without_opaque(text))))


def _without_opaque(text: str) -> str:
    """The text without what no rule speaks of; everything else keeps its place."""
    return _blanked(text, enclosed(text, _OPAQUE, _OPAQUE_ENDS))


def _without_styles(text: str) -> str:
    return _blanked(text, enclosed(text, _STYLE, _STYLE_ENDS))


def _blanked(text: str, parts: Iterable[tuple[int, int]]) -> str:
    """The text with blanks in place of some parts of it."""
    pieces: list[str] = []
    at = 0
    for start, end in parts:
        pieces += [text[at:start], " " * (end - start)]
        at = end
    return "".join([*pieces, text[at:]])


def _nested_too_deeply(text: str) -> bool:
    """Whether elements are nested beyond what the inliner can take, however they are closed."""
    opened: dict[str, int] = {}
    depth = 0
    for match in re.finditer(f"{_CLOSING.pattern}|{_OPENING.pattern}", _without_opaque(text)):
        name = (match[1] or match[2]).lower()
        if name in _VOID or name in _ENDS_ITSELF:
            continue
        if match[2]:
            opened[name] = opened.get(name, 0) + 1
            depth += 1
            if depth > MOST_DEPTH:
                return True
        elif opened.get(name):
            opened[name] -= 1
            depth -= 1
    return False


def _copy(hidden: Shielded, tags: list[re.Match[str]], sheets: list[str]) -> str:
    """A page of elements alone: numbered, without their own styles, without words and Liquid."""
    blank = _without_styles(_without_opaque(hidden.text))
    numbers = {match.start(): number for number, match in enumerate(tags)}
    parts = [f"<style>{css}</style>" for css in sheets]
    marks = sorted(
        [*_OPENING.finditer(blank), *re.finditer(r"</[a-zA-Z][^<>]*>", blank)],
        key=lambda match: match.start(),
    )
    for match in marks:
        if match[0].startswith("</"):
            parts.append(match[0])
        elif match.start() in numbers:
            kept = "".join(
                f" {name}={value}" if value else f" {name}"
                for name, value in _ATTRIBUTE.findall(match[2])
                if name.lower() not in ("style", _NUMBER)
            )
            parts.append(f'<{match[1]}{kept} {_NUMBER}="{numbers[match.start()]}"{match[3]}>')
        elif match[1].lower() in ("html", "head"):
            parts.append(match[0])
    return "".join(parts)


def _styles(page: str) -> dict[int, str]:
    """What the inliner says of each numbered element."""
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False)
    try:
        answer = inliner.inline(page)
    except css_inline.InlineError:
        return {}  # no CSS: it stays for those who can make something of it
    reader = _Reader()
    reader.feed(answer)
    reader.close()
    return reader.styles


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.styles: dict[int, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get(_NUMBER) and given.get("style"):
            self.styles.setdefault(int(given[_NUMBER] or 0), given["style"] or "")


def _undecided(hidden: Shielded, attributes: str) -> bool:
    """Whether Liquid decides which rules an element is under."""
    for name, value in _ATTRIBUTE.findall(attributes):
        if hidden.words.search(name):
            return True
        if name.lower() in _DECIDING and hidden.words.search(value):
            return True
    return False


def _styled(hidden: Shielded, match: re.Match[str], style: str) -> str:
    """An opening tag with the style, behind which its own comes and so goes before."""
    for one in _ATTRIBUTE.finditer(match[2]):
        if one[1].lower() == "style":
            own = (one[2] or "").strip("\"'")
            quote = "'" if (one[2] or "").startswith("'") else '"'
            merged = f"{quote}{_quoted(_without(style, own, hidden), quote)}{own}{quote}"
            attributes = f"{match[2][: one.start()]}style={merged}{match[2][one.end() :]}"
            return f"<{match[1]}{attributes}{match[3]}>"
    return f'<{match[1]}{match[2]} style="{_quoted(style.rstrip("; "), chr(34))}"{match[3]}>'


def _without(style: str, own: str, hidden: Shielded) -> str:
    """The declarations that the element's own do not say anew, each ending in a semicolon."""
    said = set()
    if not hidden.words.search(own):
        said = {part.partition(":")[0].strip().lower() for part in unescape(own).split(";")}
    declarations = [part.strip() for part in _DECLARATION.findall(style) if part.strip()]
    return "".join(
        f"{part};"
        for part in declarations
        if "!important" in part or part.partition(":")[0].strip().lower() not in said
    )


_DECLARATION = re.compile(r"""(?:[^;"'(]|"[^"]*"|'[^']*'|\([^)]*\))+""")


def _quoted(style: str, quote: str) -> str:
    """A style as the value of an attribute; single quotes do within double ones."""
    plain = escape(style, quote=False)
    return plain.replace('"', "&quot;") if quote == '"' else plain.replace("'", "&#39;")
