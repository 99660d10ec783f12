"""CSS as style attributes: what the template says stays as it was written, to the letter."""

import re
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.delivery.compose import compile_body, render
from caravan.journeys.inlining import inlined
from caravan.journeys.mail_html import mail_html
from caravan.journeys.templates import TemplateDocument

RULES = "<style>p{color:red} .x{margin:0} td{padding:1px}</style>"


def style(html: str, tag: str) -> str | None:
    """The style of the first such element."""
    opening = re.search(rf"<{tag}\b[^>]*>", html)
    found = re.search(r"style=(\"[^\"]*\"|'[^']*')", opening[0]) if opening else None
    return found[1].strip("\"'") if found else None


def test_rules_become_styles_and_the_own_style_wins() -> None:
    html = inlined(RULES + '<p class="x" style="color:blue">1</p><p>2</p>')
    assert html.startswith(RULES)
    assert '<p class="x" style="margin: 0;color:blue">1</p><p style="color: red">2</p>' in html


def test_important_rule_stands_before_and_still_wins() -> None:
    html = inlined("<style>p{color:red !important}</style><p style='color:blue'>1</p>")
    assert style(html, "p") == "color: red !important;color:blue"


@pytest.mark.parametrize(
    "kept",
    [
        "<style>@media (max-width:600px){p{color:blue !important}}</style>",
        "<style media='print'>p{color:black}</style>",
        "<style>a:hover{color:red}</style>",
        "<!--[if mso]><table><tr><td><p>x</p><![endif]-->",
        "<!--[if !mso]><!--><span>y</span><!--<![endif]-->",
        "<![if !mso]><span>z</span><![endif]>",
        "<title>p</title>",
        "{% raw %}<p>{{ x }}</p>{% endraw %}",
        "{% comment %}<p class='x'>{% endcomment %}",
    ],
)
def test_kept_to_the_letter(kept: str) -> None:
    html = f"<html><head>{RULES}{kept}</head><body>{kept}<p>1</p></body></html>"
    assert inlined(html) == html.replace("<p>1", '<p style="color: red">1')


LIQUID = [
    # between rows a reader of HTML would move words out of the table
    "<table>{% for one in rows %}<tr><td>{{ one }}</td></tr>{% endfor %}</table>",
    "<table><tr>{% if a %}<td>1</td>{% else %}<td>2</td>{% endif %}</tr></table>",
    # an opening tag that is one of two
    "{% if a %}<div>{% else %}<div class='y'>{% endif %}<p>1</p></div>",
    "<p {% if a %}class='x'{% endif %}>1</p>",
    '<p title="{{ a | default: "<q>" }}">1</p>',
    "<p title='{% if a > 1 %}>{% endif %}'>1</p>",
    "<select><option>{{ a }}</select>",
    "{{ '<p>' }}",
    "{%- if a -%} <p>1</p> {%- endif -%}",
    "<a href={{ a }}>1</a>",
    "<{{ a }}>1</{{ a }}>",
    "<p",
    "</p></table>",
    "<p class=x>unquoted",
    "<img src='x' class=\"x\"/>",
]


def without_styles(html: str) -> str:
    return re.sub(r""" style=("[^"]*"|'[^']*')""", "", html)


@pytest.mark.parametrize("piece", LIQUID)
def test_nothing_but_styles_is_put_in(piece: str) -> None:
    assert without_styles(inlined(RULES + piece)) == RULES + piece


@given(pieces=st.lists(st.sampled_from(LIQUID), max_size=6), text=st.text(max_size=20))
def test_nothing_but_styles_is_put_in_whatever_stands_beside(pieces: list[str], text: str) -> None:
    page = RULES + text.join(pieces)
    assert without_styles(inlined(page)) == without_styles(page)


def test_class_that_data_decides_is_left_to_the_style_sheet() -> None:
    html = inlined(RULES + '<p class="{% if a %}x{% endif %}">1</p><p {{ a }}>2</p><p>3</p>')
    assert html.count("style=") == 1


def test_own_style_may_depend_on_data() -> None:
    html = inlined(RULES + '<p style="{% if a %}color:{{ a | default: "blue" }};{% endif %}">1</p>')
    assert '<p style="color: red;{% if a %}color:{{ a | default: "blue" }};{% endif %}">' in html


def test_value_in_a_sheet_may_be_a_token_and_a_rule_may_not() -> None:
    html = inlined(
        "<style>p{color:{{ my.colour }};width:{{ my.w }}px}</style>"
        "<style>{% if a %}p{margin:0}{% endif %}</style><p>1</p>"
    )
    assert style(html, "p") == "color: {{ my.colour }};width: {{ my.w }}px"


def test_quotes_of_a_font_end_no_attribute() -> None:
    html = inlined("""<style>p{font-family:"A B",'C'}</style><p>1</p><p style='margin:0'>2</p>""")
    template = TemplateDocument(email="e", subject="s", body=html, format="html", operational=True)
    for opening in re.findall(r"<p [^>]*>", render(compile_body(template), {}).html):
        assert re.fullmatch(r"""<p style=("[^"]*"|'[^']*')>""", opening)


def test_nothing_is_fetched_from_disk_or_net(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    secret = tmp_path / "secret.css"
    secret.write_text("p{color:green}")
    served = socket.create_server(("127.0.0.1", 0))
    served.settimeout(0.5)
    url = f"http://127.0.0.1:{served.getsockname()[1]}/a.css"
    html = "".join(
        f"<link rel='stylesheet' href='{one}'><style>@import '{one}'; @import url({one});</style>"
        for one in (url, str(secret), secret.as_uri())
    )
    with served:
        found = inlined(f"{html}<style>p{{margin:0}}</style><p>1</p>")
        with pytest.raises(TimeoutError):
            served.accept()
    assert "green" not in found
    assert style(found, "p") == "margin: 0"
    assert found.startswith(html)  # what mailboxes make of links is theirs


@pytest.mark.parametrize("page", ["<div>" * 100_000, "<b></x>" * 100_000, "<p>" * 20_000])
def test_nesting_without_end_ends_nobody(page: str) -> None:
    assert without_styles(inlined(RULES + page)) == RULES + page


def test_mjml_styles_are_inlined_and_its_resets_are_not() -> None:
    body = (
        '<mjml><mj-head><mj-style inline="inline">.a div{letter-spacing:1px}</mj-style>'
        "<mj-style>.b{color:blue} @media (max-width:1px){.b{color:red}}</mj-style></mj-head>"
        "<mj-body>{% if x %}<mj-section><mj-column>"
        '<mj-text css-class="b">{{ x }}</mj-text></mj-column></mj-section>{% endif %}</mj-body></mjml>'
    )
    html = mail_html(body, "mjml")
    assert re.search(r'<td [^>]*class="b"[^>]* style="color: blue;', html)
    assert "@media (max-width:1px){.b{color:red}}" in html
    assert html.count("mso-table-lspace") == 1
    assert html.index("{% if x %}") < html.index("{{ x }}") < html.index("{% endif %}")
