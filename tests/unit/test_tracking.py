"""Tracked links: what a person may follow to the web tells of it, and nothing else of the mail changes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.delivery.links import LinkKeys, LinkKind, MailLinks
from caravan.delivery.tracking import rewriting

KEYS = LinkKeys(["k" * 32])
LINKS = MailLinks("https://go.example/a&b", "m", KEYS)
OUT = LINKS.unsubscribe(7)
_MADE = re.compile(r"https://go\.example/a&amp;b/c/([\w-]+)")


def tracked(html: str, **options: bool) -> str:
    given = {"opens": False, "clicks": True} | options
    return rewriting(LINKS, 7, plain=(OUT,), **given)(html)


def followed(html: str) -> list[str]:
    """Where the tracked links of a mail lead."""
    tokens = _MADE.findall(html)
    links = [KEYS.read(token, LinkKind.CLICKED) for token in tokens]
    assert all(link is not None and link.message_number == 7 for link in links)
    return [str(link and link.url) for link in links]


@pytest.mark.parametrize(
    ("html", "leads"),
    [
        ('<a href="https://a.example/x">x</a>', "https://a.example/x"),
        ("<A class=b HREF='http://a.example?a=1&amp;b=2' >", "http://a.example?a=1&b=2"),
        ("<a\nhref=https://a.example/x?y=z>", "https://a.example/x?y=z"),
        ('<area shape="rect" href=" https://a.example/å ">', "https://a.example/å"),
        ('<a title="a > b" href="https://a.example"></a>', "https://a.example"),
        ('<a data-caravan-track="on" href="https://a.example"></a>', "https://a.example"),
    ],
)
def test_links_to_the_web_are_tracked(html: str, leads: str) -> None:
    out = tracked(html)
    assert followed(out) == [leads]
    assert _MADE.sub("X", out) == re.sub(
        r"""(?i)href=("[^"]*"|'[^']*'|[^\s>]+)""",
        lambda at: at[0][:5] + '"X"',
        html,
    )


@pytest.mark.parametrize(
    "html",
    [
        '<a href="mailto:us@us.example">x</a>',
        '<a href="tel:+46">x</a> <a href="#there">x</a> <a href="/x">x</a> <a href="">x</a> <a href>x</a>',
        '<a href="javascript:alert(1)">x</a> <a href="https:///x">x</a> <a href="ftp://a.example">x</a>',
        f'<a href="{OUT.replace("&", "&amp;")}">x</a>',
        '<a data-caravan-track="off" href="https://a.example">x</a>',
        "<a href='https://a.example' DATA-CARAVAN-TRACK=off>x</a>",
        '<!-- <a href="https://a.example">x</a> -->',
        '<!--[if mso]><a href="https://a.example">x</a><![endif]-->',
        '<style>a { x: url("<a href=https://a.example>") }</style>',
        '<img src="https://a.example/x.png"><link href="https://a.example/x.css">',
        '<abbr href="https://a.example">x</abbr>',
        '<a data-href="https://a.example">x</a>',
        '<a href="https://a.example/a b">x</a> <a href="https://a.example\\@b.example">x</a>',
        f'<a href="https://a.example/{"x" * 2000}">x</a>',
        '<a href="https://a.example',
    ],
)
def test_everything_else_stays_as_it_is(html: str) -> None:
    assert tracked(html) == html


def test_first_of_two_addresses_counts_as_in_browsers() -> None:
    out = tracked('<a href="https://a.example" href="https://b.example">x</a>')
    assert followed(out) == ["https://a.example"]
    assert out.endswith('href="https://b.example">x</a>')


def test_pixel_stands_at_the_end_of_the_body_where_opens_are_told() -> None:
    html = '<html><body><a href="https://a.example">x</a></body></html>'
    out = tracked(html, opens=True, clicks=False)
    pixel = out.removeprefix(html.removesuffix("</body></html>")).removesuffix("</body></html>")
    assert re.fullmatch(r'<img src="https://go\.example/a&amp;b/o/[\w-]+" [^<>]*/>', pixel)
    assert tracked("no body", opens=True).startswith("no body<img ")


@given(st.text(alphabet="<>aA/ =\"'-!hrefhttps:.x&;\n", max_size=200))
def test_no_html_breaks_it_and_what_is_no_link_is_kept(html: str) -> None:
    out = tracked(html)
    assert len(_MADE.findall(out)) == len(followed(out))
    assert out == html or _MADE.search(out)
