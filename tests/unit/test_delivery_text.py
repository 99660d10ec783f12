"""Composing: MJML and HTML with Liquid, and the text alternative that says the same."""

import email
import email.policy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caravan.delivery.compose import CompiledTemplate, Sender, compile_body, compose
from caravan.delivery.errors import UnfitText
from caravan.delivery.liquid import LiquidText, render_text
from caravan.delivery.plaintext import text_of, text_template, tidied
from caravan.delivery.transport import Outgoing
from caravan.journeys.templates import TemplateDocument

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def template(body: str, **fields: Any) -> CompiledTemplate:
    given = {"subject": "s", "format": "html", "operational": True} | fields
    return compile_body(TemplateDocument(email="welcome", body=body, **given))


def composed(compiled: CompiledTemplate, **context: Any) -> Outgoing:
    return compose(
        compiled,
        {"now": AT, "unsubscribe_link": "https://u.example", "postal_address": "Street"} | context,
        sender=Sender("Us", "us@us.example", "team@us.example"),
        message_id="<1@us.example>",
        at=AT,
        to_address="ann@a.example",
        unsubscribe_link="https://u.example",
    )


def parts(outgoing: Outgoing) -> tuple[str, str]:
    message = email.message_from_bytes(outgoing.content, policy=email.policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))  # type: ignore[attr-defined]
    return text.get_content().replace("\r\n", "\n"), html.get_content()


PAGE = """<html><head><title>no</title><style>p {color: red}</style></head><body>
<div style="display: none">preheader</div>
<h1>Hello {{ name | default: 'you' }}</h1>
<p>Fish &amp; chips {%- if paid -%} <b>{{ paid }}</b> kr{% else %}free{%- endif %}.
{% for item in items %}<li>{{ item }}</li>{% endfor %}</p>
<table><tr><td>left</td><td>right</td></tr></table>
<a href="https://x.example/?a=1&amp;b={{ name | url_encode }}">See <i>it</i></a> <a href="#top">up</a>
<img src="x" alt="A map">
{% if paid %}<br>{% endif %}the end
<!-- {{ name }} --></body></html>"""

data = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), max_size=12)


@given(name=data, paid=st.none() | data, items=st.lists(data, max_size=3))
@example(name="<b>&amp;</b>", paid="{{ name }}", items=["</p>", "{% raw %}"])
def test_text_template_says_what_the_html_shows(
    name: str, paid: str | None, items: list[str]
) -> None:
    context = {"name": name, "paid": paid, "items": items}
    derived = text_template(PAGE)
    assert derived is not None
    shown = LiquidText.text_alternative(derived).render(context)
    read = text_of(LiquidText.html(PAGE).render(context))
    assert tidied(shown).split() == read.split()


def test_text_alternative_reads_well() -> None:
    text, _ = parts(composed(template(PAGE), name="Ann & Bo", paid=None, items=["one", "two"]))
    assert text == (
        "Hello Ann & Bo\n\nFish & chipsfree.\n- one\n\n- two\n\nleft right\n\n"
        "See it (https://x.example/?a=1&b=Ann+%26+Bo) up A map the end\n"
    )


SOMETIMES_HIDDEN = "{% if x %}<div style='display:none'>{% else %}<div>{% endif %}a</div>b"


@pytest.mark.parametrize(
    ("html", "context", "text"),
    [
        (SOMETIMES_HIDDEN, {"x": True}, "b"),
        (SOMETIMES_HIDDEN, {"x": False}, "a\nb"),
        ("{% if x %}<a href='1'>{% else %}<a href='2'>{% endif %}go</a>", {"x": False}, "go (2)"),
        ("<a {% if x %}href='1'{% else %}href='2'{% endif %}>go</a>", {"x": True}, "go (1)"),
        ("<a href='{% if x %}1{% else %}2{% endif %}'>go</a>", {"x": False}, "go (2)"),
        ("<a href='{{ x }}'>go</a>", {"x": None}, "go"),
        ("{{ x | newline_to_br }}", {"x": "a\nb"}, "a\nb"),
        ("{{ x | default: 'R&amp;D' }}", {"x": None}, "R&D"),
        ("{{ x | escape }}", {"x": "R&D"}, "R&D"),
        ("&#123;&#123; x }}", {"x": "no"}, "{{ x }}"),
        ("{% raw %}{{ x }}{% endraw %}", {"x": "no"}, "{{ x }}"),
        ("<p>a</p>{%- if x -%}<p>b</p>{%- endif -%}<p>c</p>", {"x": 1}, "a\n\nb\n\nc"),
        ("liquid0z {{ x }}", {"x": "y"}, "liquid0z y"),
        ("<head><title>no<body>yes", {}, "yes"),
    ],
)
def test_liquid_that_shapes_html_shapes_the_text(
    html: str, context: dict[str, Any], text: str
) -> None:
    shown, _ = parts(composed(template(html), **context))
    assert shown.strip() == text


def test_data_is_escaped_in_html_and_stands_in_text_and_subject() -> None:
    outgoing = composed(template("<p>{{ x }}</p>", subject="{{ x }}"), x="<b>R&D</b>")
    text, html = parts(outgoing)
    assert text == "<b>R&D</b>\n"
    assert html == "<p>&lt;b&gt;R&amp;D&lt;/b&gt;</p>"
    assert b"Subject: <b>R&D</b>\r\n" in outgoing.content


def test_mjml_may_hold_any_liquid() -> None:
    body = (
        "<mjml><mj-body><mj-section><mj-column><mj-text>"
        "{% if n < 3 and x != \"\" %}few &amp; {{ x | default: '<none>' }}{% endif %}"
        "</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    text, html = parts(composed(template(body, format="mjml"), n=2, x="good"))
    assert text == "few & good\n"
    assert "liquid" not in html


@pytest.mark.parametrize("body", ["<mjml><mj-body>", "no mjml", "<mjml>{% if %}</mjml>"])
def test_bad_mjml_is_said(body: str) -> None:
    with pytest.raises(UnfitText, match=r"^welcome: "):
        template(body, format="mjml")


def test_mjml_includes_no_files() -> None:
    with pytest.raises(UnfitText):
        template(
            "<mjml><mj-body><mj-include path='/etc/passwd' type='html'/></mj-body></mjml>",
            format="mjml",
        )


def test_marketing_mail_gets_a_way_out_before_the_end_of_its_body() -> None:
    compiled = template("<body>İİİ hello</BODY>", operational=False, preheader="Hi {{ x }}")
    text, html = parts(composed(compiled, x="<Ann>"))
    assert html.startswith('<body><div style="display:none')
    assert "Hi &lt;Ann&gt;" in html
    assert html.endswith("Unsubscribe</a></div></BODY>")
    assert text == "İİİ hello\nStreet\nUnsubscribe (https://u.example)\n"


def test_template_overrides_the_sender_and_nothing_overrides_nothing() -> None:
    compiled = template("x", from_="{{ owner }}", reply_to="{{ owner_email }}")
    outgoing = composed(compiled, owner="Bo Ek <bo@us.example>", owner_email="bo@us.example")
    assert outgoing.envelope_from == "bo@us.example"
    assert b'From: "Bo Ek" <bo@us.example>\r\n' in outgoing.content
    assert b"Reply-To: bo@us.example\r\n" in outgoing.content
    outgoing = composed(compiled, owner=None, owner_email="")
    assert outgoing.envelope_from == "us@us.example"
    assert b"Reply-To: team@us.example\r\n" in outgoing.content


@pytest.mark.parametrize("owner", ["nobody", "a@b.example>\r\nRCPT TO:<x@y.example", "a@b, c@d"])
def test_sender_that_is_no_address_is_said(owner: str) -> None:
    with pytest.raises(UnfitText, match="no mail address"):
        composed(template("x", from_="{{ owner }}"), owner=owner)


def test_operational_mail_has_no_list_unsubscribe() -> None:
    assert b"List-Unsubscribe" not in composed(template("x")).content
    assert b"List-Unsubscribe" in composed(template("x", operational=False)).content


@pytest.mark.parametrize(
    "text",
    [
        "{{ nobody }}",
        "{{ x | divided_by: 0 }}",
        "{% for a in (1..1000000) %}{% endfor %}",
        "{% for a in (1..200) %}{% for b in (1..200) %}{% endfor %}{% endfor %}",
        "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}",
        "{% for i in (1..9000) %}{{ long }}{% endfor %}",
        "{% include 'secrets' %}",
        "{% render 'secrets' %}",
        "{% if %}",
    ],
)
def test_text_that_runs_away_is_stopped(text: str) -> None:
    with pytest.raises(UnfitText):
        render_text(text, {"x": 1, "now": AT, "long": "x" * 1000})


def test_now_is_the_messages_instant() -> None:
    assert render_text("{{ 'now' | date: '%Y-%m-%d' }}", {"now": AT}) == "2026-03-02"
    assert render_text("{{ now | date: '%H:%M' }}", {"now": AT}) == "08:00"


def test_links_are_rewritten_and_fields_added_after_rendering() -> None:
    signed: list[bytes] = []

    def sign(content: bytes) -> bytes:
        signed.append(content)
        return b"X-Signed: yes\r\n" + content

    outgoing = compose(
        template("<body><a href='https://x.example/{{ name }}'>See</a></body>"),
        {"name": "ann"},
        sender=Sender("Us", "us@us.example"),
        message_id="<1@us.example>",
        at=AT,
        to_address="ann@a.example",
        rewrite=lambda html: html.replace("https://x.example/ann", "https://go.example/1"),
        headers=[("List-ID", "<news.us.example>")],
        envelope_from="bounce+1@us.example",
        sign=sign,
    )
    assert not signed  # nobody has asked for the bytes
    text, html = parts(outgoing)
    assert "https://go.example/1" in html
    assert "https://x.example/ann" in text  # who reads text sees where a link leads
    assert outgoing.content.startswith(b"X-Signed: yes\r\n")
    assert b"\r\nList-ID: <news.us.example>\r\n" in outgoing.content
    assert outgoing.envelope_from == "bounce+1@us.example"
    assert len(signed) == 1  # written and signed once, however often it is looked at


@pytest.mark.parametrize(
    "field", [("List-ID:", "x"), ("List ID", "x"), ("List-ID", "å"), ("", "x"), ("List-ID", "\r\n")]
)
def test_a_field_that_no_header_can_have_is_refused_before_anything_leaves(
    field: tuple[str, str],
) -> None:
    with pytest.raises(UnfitText):
        compose(
            template("<p>x</p>"),
            {},
            sender=Sender("Us", "us@us.example"),
            message_id="<1@us.example>",
            at=AT,
            to_address="ann@a.example",
            headers=[field],
        )


def test_further_fields_inject_nothing() -> None:
    outgoing = compose(
        template("<p>x</p>"),
        {},
        sender=Sender("Us", "us@us.example"),
        message_id="<1@us.example>",
        at=AT,
        to_address="ann@a.example",
        headers=[("Feedback-ID", "1:2\r\nBcc: all@a.example")],
    )
    message = email.message_from_bytes(outgoing.content)
    assert message["Bcc"] is None
    assert message["Feedback-ID"] == "1:2 Bcc: all@a.example"


CONDITIONAL = """<body><p>{{ name }}</p>
{% if vip %}<a href="{{ unsubscribe_link }}">out</a> {{ postal_address }}{% endif %}</body>"""


@pytest.mark.parametrize("vip", [True, False])
def test_marketing_mail_shows_a_way_out_whatever_the_data_is(vip: bool) -> None:
    text, html = parts(composed(template(CONDITIONAL, operational=False), name="Ann", vip=vip))
    assert html.count("https://u.example") == 1
    assert text.count("https://u.example") == 1
    assert "Street" in html
    assert "Street" in text


def test_way_out_that_only_outlook_would_read_is_none() -> None:
    body = "<!--[if mso]>{{ unsubscribe_link }} {{ postal_address }}<![endif]--><p>x</p>"
    _, html = parts(composed(template(body, operational=False)))
    assert '<a href="https://u.example"' in html


def test_operational_mail_gets_no_footer() -> None:
    text, html = parts(composed(template(CONDITIONAL), name="Ann", vip=False))
    assert "u.example" not in text + html


@given(value=st.text(max_size=60))
@example(value="x\r\nBcc: all@a.example")
@example(value="x\nSubject: other\r\n\r\n<script>")
@example(value='"<evil@a.example>, "')
def test_data_in_header_fields_injects_nothing(value: str) -> None:
    compiled = template("<p>x</p>", subject="Hi {{ name }}", from_="{{ name }} <us@us.example>")
    try:
        outgoing = composed(compiled, name=value)
    except UnfitText:
        return  # it makes the sender no address: nothing leaves
    message = email.message_from_bytes(outgoing.content, policy=email.policy.default)
    fields = ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version"]
    assert message.keys() == [*fields, "Content-Type"]
    assert [one.addr_spec for one in message["From"].addresses] == ["us@us.example"]
    assert outgoing.envelope_from == "us@us.example"


@pytest.mark.parametrize(
    "text",
    [
        "{% assign a = (1..100000000) | join: '' %}",
        "{% assign a = (1..3) | concat: (1..100000000) %}",
        "{% assign b = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' %}{% assign a = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}"
        + "{% assign a = a | replace: 'a', b | replace: 'b', a %}" * 3,
        "{% assign a = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}"
        + "{% assign a = a | append: a %}" * 20,
    ],
)
def test_filters_do_not_fill_the_memory(text: str) -> None:
    with pytest.raises(UnfitText):
        render_text(text, {"now": None})


def test_filters_keep_what_they_gave() -> None:
    said = "{{ (1..5) | join: ',' }} {{ 'ab' | replace: 'a', 'c' | append: 'd' | upcase }}"
    assert render_text(said, {"now": None}) == "1,2,3,4,5 CBD"
