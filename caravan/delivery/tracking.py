"""Links of a rendered mail that tell of opens and clicks: only addresses change, and nothing else of it.

What is rewritten is what a person may follow to the web: http and https in `href` of `<a>` and `<area>`.
Left as they are: the ways out and to the web page, links marked `data-caravan-track="off"`, those that are too
long for a token, and what stands in comments (which some mail programs read).
"""

import re
from collections.abc import Callable
from html import escape, unescape

from caravan.delivery.links import LONGEST_URL, MailLinks

#: comments (conditional ones of Outlook among them) and elements whose text is no markup, or a tag of a link
_PIECES = re.compile(
    r"<!--.*?-->|<(?P<raw>style|script|title|textarea)\b.*?</(?P=raw)\s*>"
    r"""|<(?:a|area)(?=[\s/])(?P<attributes>(?:[^>"']|"[^"]*"|'[^']*')*)>""",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s"'<>/=]+)(?:\s*=\s*(?P<value>"[^"]*"|'[^']*'|[^\s"'>][^\s>]*))?"""
)
_WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE)
#: an address with white space or control characters inside is read differently by different programs
_UNCLEAR = re.compile(r"[\x00-\x20\x7f\\]")
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_TRACK = "data-caravan-track"

Rewrite = Callable[[str], str]


def rewriting(
    links: MailLinks, message_number: int, *, opens: bool, clicks: bool, plain: tuple[str, ...]
) -> Rewrite:
    """What makes the HTML of one message tell of itself.

    Args:
        links: of its subscription.
        message_number: its number in the ledger.
        opens: whether it tells that it was opened.
        clicks: whether it tells which links were followed.
        plain: addresses that stay as they are: the way out, and to the web page.
    """

    def rewrite(html: str) -> str:
        if clicks:
            html = _PIECES.sub(lambda piece: _tracked(piece, links, message_number, plain), html)
        return with_pixel(html, links.opened(message_number)) if opens else html

    return rewrite


def with_pixel(html: str, url: str) -> str:
    """The HTML with a picture that nobody sees, at the end of its body."""
    pixel = f'<img src="{escape(url)}" width="1" height="1" alt="" style="display:block;border:0"/>'
    ends = list(_BODY_END.finditer(html))
    place = ends[-1].start() if ends else len(html)
    return html[:place] + pixel + html[place:]


def _tracked(
    piece: re.Match[str], links: MailLinks, message_number: int, plain: tuple[str, ...]
) -> str:
    whole, attributes = piece[0], piece["attributes"]
    if attributes is None:
        return whole
    named: dict[str, re.Match[str]] = {}
    for attribute in _ATTRIBUTE.finditer(attributes):
        named.setdefault(attribute["name"].lower(), attribute)  # of two the first counts
    href = named.get("href")
    if href is None or href["value"] is None or _value(named.get(_TRACK)).lower() == "off":
        return whole
    url = _value(href).strip()
    if (
        _WEB.match(url) is None
        or _UNCLEAR.search(url)
        or url in plain
        or len(url.encode()) > LONGEST_URL
    ):
        return whole
    at = piece.start("attributes") - piece.start()
    start, end = at + href.start("value"), at + href.end("value")
    return f'{whole[:start]}"{escape(links.clicked(message_number, url))}"{whole[end:]}'


def _value(attribute: re.Match[str] | None) -> str:
    written = (attribute["value"] if attribute else None) or ""
    quoted = written[:1] in ("'", '"')
    return unescape(written[1:-1] if quoted else written)
