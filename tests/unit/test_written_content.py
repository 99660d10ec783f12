"""What a model may write into mail: nothing that acts, leads where nobody said, or fails at each send."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.ai import sample_texts
from caravan.ai.linked_hosts import invented_links, invented_sites
from caravan.ai.mail_markup import acting_markup, assembled_links
from caravan.ai.written_content import unfit_document, unfit_mail
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.workspace import load_workspace
from tests.writing_models import JOURNEY, body

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
BRIEF = "Invite to https://webinar.example/12 or see grid.com; write to ada@grid.example."
SENDER = "us.example"

Judge = Callable[..., list[str]]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Put a text into a mail, and tell what is wrong with the content; ``before``: what it changes."""

    def write(text: str, subject: str = "Outages", ending: str = "mjml", **files: str) -> Any:
        (tmp_path / "ws.yaml").write_text(
            "workspace: ws\nsubscription: {munchkin: 000-AAA-001, sandbox: prod}\npostal_address: 1 Street\n"
            f"sender: {{name: Us, email: us@{SENDER}}}\n---\naudience: everyone\nof: accounts\nwhen: {{}}\n"
        )
        (tmp_path / "j.yaml").write_text(JOURNEY.format(slug="j", template="outage"))
        whole = body(text) if ending == "mjml" else f"{text} {{{{ unsubscribe_link }}}}"
        files[f"emails/outage.{ending}"] = f"---\nemail: outage\nsubject: {subject}\n---\n{whole}\n"
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(content, encoding="utf-8")
        workspace = load_workspace(tmp_path, AT)
        assert workspace.errors == [], "the language takes it"
        return workspace

    def judged(text: str, before: str | None = None, **more: Any) -> list[str]:
        if before is None:
            workspace = replace(write("Hello", **more), templates={})
        else:
            workspace = write(before, **more)
        drafted = write(text, **more)
        return unfit_mail(
            workspace,
            drafted,
            "outage",
            drafted.templates["outage"],
            (BRIEF,),
            domain=SENDER,
            at=AT,
        )

    return judged


@pytest.mark.parametrize(
    "text",
    [
        "Hello {{ person.first_name | default: 'you' }}, see grid.com, or write to ada@grid.example.",
        '<a href="https://webinar.example/12?x=1&amp;y=2">Join</a> <a href="https://pages.us.example">or read</a>',
        '<a href="{{ my.webinar }}">Join</a> <a href="{{- my.webinar | default: \'https://us.example/x\' -}}">or so</a>',
        '{% if account.employees > 500 %}You are large.{% else %}You are small.{% endif %}',
        "{% assign day = now | date: '%Y-%m-%d' %}{% for one in (1..3) %}{{ one }}: {{ day }}{% endfor %}",
        "{% case account.industry %}{% when 'Energy' %}Grids{% else %}Others{% endcase %}",
        "e.g. 9.30 a.m., Node.js, z.B., t.ex., e.Kr., and/or, v1.2.3, 50 % of U.S. grids, Ph.D., ...and",
        '<img src="{{ account.logo_url }}" alt="logo" />',
        "<p style=\"color: red\">once: on time, one = two</p>",
    ],
)  # fmt: skip
def test_what_mails_usually_say_is_fine(judge: Judge, text: str) -> None:
    assert judge(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "<a href=\"{{ 'https:' | append: '/' | append: '/evil.com' }}\">Sign in</a>",
        "{{ 'https:' | append: '/' | append: '/evil.com' }}",
        "{% assign a = 'https:' %}{% capture b %}/{% endcapture %}{{ a }}{{ b }}{{ b }}evil.com",
        "{% assign my_link = 'https:' | append: '/' | append: '/evil.com' %}<a href=\"{{ my_link }}\">x</a>",
        "{% if account.employees > 99999999 %}{{ 'https:' | append: '/' | append: '/evil.com' }}{% endif %}",
        "{% unless account.name %}{% case account.city %}{% when 'x' %}{{ 'evil' | append: '.com' }}{% endcase %}{% endunless %}",
        "{{ account.city | default: 'https:' | append: '/' | append: '/evil.com' }}",
        "{{ '<a href=' | append: '//evil.com>' }}",
        '<a href="https:{{ my.webinar }}">x</a>',
        '<a href="{{ my.webinar }}{{ account.name }}">x</a>',
        '<a href="{% if account.name %}https:{% endif %}//webinar.example">x</a>',
        '<p style="background: url({{ my.webinar }})">x</p>',
        "Sign in at evil.com/x", "Sign in at evil.com.", "WWW.EVIL.EXAMPLE", "evil.example/x", "t.co/x", "evil\u3002com",
        "\uff45vil.com", "bücher.de", "write to eve@evil.example", "write to eve@grid.example",
        '<a href="mailto:eve@evil.example">x</a>', '<a href="mailto:ada@grid.example?cc=eve%40evil.example">x</a>',
        "{{ 'eve@' | append: 'evil.example' }}",
    ],
)  # fmt: skip
def test_nothing_leads_where_nobody_has_said(judge: Judge, text: str) -> None:
    found = judge(text)
    assert found
    assert all(one.startswith("bad-link: ") for one in found)


def test_subject_leads_nowhere_either(judge: Judge) -> None:
    assert "evil.com" in str(judge("Hello", subject="Sign in at evil.com"))


@pytest.mark.parametrize(
    "text",
    [
        "{% assign my = 'x' %}", "{% assign unsubscribe_link = 'x' %}", "{% for account in (1..2) %}{% endfor %}",
        "{% capture person %}x{% endcapture %}", "{% liquid\nassign unsubscribe_link = 'x'\n%}",
        "{{ 'one' if account.employees > 99999999 else 'other' }}",
    ],
)  # fmt: skip
def test_tokens_stay_what_they_are_and_branches_are_seen(text: str) -> None:
    assert assembled_links(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "<SCRIPT src='x'></SCRIPT>", "<iframe src='x'></iframe>", "<form action='/x'><input/></form>",
        "<object data='x'></object>", "<embed src='x'/>", "<base href='/x'/>", "<link rel='stylesheet' href='/x'/>",
        "<meta http-equiv='Refresh' content='0;url=x'/>", "<p onclick='x()'>x</p>", "<img src='x' title='>' onerror='x()'/>",
        "<!--[if mso]><iframe src='x'></iframe><![endif]-->", "<svg><set attributeName='href' to='x'/></svg>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["html", "mjml"])
def test_what_acts_has_no_place_in_a_mail(judge: Judge, text: str, ending: str) -> None:
    if ending == "mjml" and "<!--[if" not in text:
        text = f"<p>{text}</p>"
    assert "bad-value: " in str(judge(text, ending=ending))


@pytest.mark.parametrize(
    "text",
    [
        "{{ '<script>' }}alert(1){{ '</script>' }}", "{{ '<img src=x onerror=' | append: 'x()>' }}",
        "{% if account.employees > 99999999 %}{{ '<ifr' | append: 'ame src=x>' }}{% endif %}",
        "{% raw %}<iframe src='x'></iframe>{% endraw %}",
    ],
)  # fmt: skip
def test_what_liquid_makes_of_it_does_not_act_either(judge: Judge, text: str) -> None:
    assert "has no place" in str(judge(text)) or "runs a script" in str(judge(text))


def test_mjml_that_is_taken_as_it_is_is_left_out(judge: Judge) -> None:
    raw = "x</mj-text></mj-column></mj-section><mj-raw><p>x</p></mj-raw><mj-section><mj-column><mj-text>"
    assert "<mj-raw> has no place" in str(judge(raw))


def test_address_behind_a_backslash_is_told() -> None:
    assert acting_markup("<style>p {background: url('https:\\2f/evil.com')}</style>") != []
    assert acting_markup("<style>p {background: url('https://us.example/x.png')}</style>") == []


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "&#106;avascript:x",
        "data:text/html,x",
        "vbscript:x",
        "{{ my.x | default: 'javascript:x' }}",
    ],
)
def test_links_that_run_or_bring_something_along_are_told(address: str) -> None:
    assert invented_links(f'<a href="{address}">x</a>', BRIEF, domain=SENDER) != []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{% for i in (1..99999999) %}x{% endfor %}", "loop iteration limit"),
        ("{% if account.employees > 99999999 %}{% for i in (1..99999999) %}x{% endfor %}{% endif %}", "with every branch taken"),
    ],
)  # fmt: skip
def test_mail_that_would_fail_at_each_send_fails_while_somebody_can_mend_it(
    judge: Judge, text: str, why: str
) -> None:
    assert why in str(judge(text))


def test_who_changes_a_template_answers_only_for_what_is_new(judge: Judge) -> None:
    before = (
        "<p onclick='x()'>Old</p> <a href=\"https://partner.com/{{ account.name }}\">x</a> at "
        "{{ 'partner.' | append: 'com' }}"
    )
    assert judge(before.replace("Old", "New"), before=before) == []
    assert "evil.com" in str(judge(before + " evil.com", before=before))
    assert "<script>" in str(judge(before + "<script>x</script>", before=before))


def test_what_the_converter_of_mjml_adds_is_no_link_of_the_mail(judge: Judge) -> None:
    social = (
        "x</mj-text><mj-social><mj-social-element name='web' href='https://{}'>x</mj-social-element></mj-social>"
        "<mj-accordion><mj-accordion-element><mj-accordion-title>x</mj-accordion-title></mj-accordion-element>"
        "</mj-accordion><mj-text font-family='Roboto'>"
    )
    assert judge(social.format("us.example")) == []
    assert "evil.com" in str(judge(social.format("evil.com")))
    assert "mailjet.com" in str(judge("{{ 'https:/' | append: '/www.mailjet.com' }}"))


def test_fragments_are_a_teams_own(judge: Judge) -> None:
    fragment = "<form action='https://partner.com/x'>partner.com</form>"
    files = {"fragments/ask.html": fragment}
    assert judge("Hello {% render 'ask' %}", ending="html", **files) == []
    assert "evil.com" in str(judge("Hello {% render 'ask' %} evil.com", ending="html", **files))


@pytest.mark.parametrize(
    "token",
    ['"https:\\/\\/evil.com/x"', '"https:\\x2f\\x2fevil.com"', '"https:/\\\n  /evil.com"', '"mailto:eve\\x40evil.com"', "https://evil.com"],
)  # fmt: skip
def test_scalar_leads_where_it_says_however_it_is_written(token: str) -> None:
    assert unfit_document(f"tokens: {{webinar: {token}}}", BRIEF, domain=SENDER) != []
    assert (
        unfit_document("tokens: {webinar: 'https://webinar.example/12'}", BRIEF, domain=SENDER)
        == []
    )


def test_nothing_steers_what_is_shown_around_it_however_it_is_written(judge: Judge) -> None:
    assert "steer" in str(judge("moc.&#8238;live"))
    assert "steer" in str(
        unfit_document('tokens: {webinar: "moc.\\u202Elive"}', BRIEF, domain=SENDER)
    )
    assert unfit_document("tokens: {webinar: می\u200cخواهم}", BRIEF, domain=SENDER) == []


NAME = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)


@given(host=st.builds("{}.{}".format, NAME, st.sampled_from(["com", "net", "io", "ru", "co.uk"])), path=st.sampled_from(["", "/", "/x", ":80/x", "?x", "."]))  # fmt: skip
def test_site_is_told_wherever_it_stands_unless_it_was_given(host: str, path: str) -> None:
    text = f"Sign in at {host}{path} now"
    assert any(host in one for one in invented_sites(text, "A word", domain=SENDER))
    assert invented_sites(text, f"Say that {host} is there", domain=SENDER) == []
    assert invented_sites(text, "A word", domain=host) == []


@given(st.text(max_size=300))
def test_any_text_is_judged_and_ends(text: str) -> None:
    acting_markup(text)
    assembled_links(text)
    invented_sites(text, text, domain=None)
    assert invented_links(text, domain=SENDER) is not None


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["a.", "a-", "<!--", "<a ", "a@", "url(", "www.", "mailto:", "{{", "'"]
)
def test_long_texts_are_judged_in_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    acting_markup(text)
    assembled_links(text)
    assert invented_links(text, domain=None) is not None
    assert invented_sites(text, domain=None) is not None


def test_sample_data_has_every_field_full_and_empty() -> None:
    catalog = FieldCatalog(custom={"person": {"seniority": "string"}})
    text = "{{ person.seniority | default: 'nobody' }} of {{ account.employees }}"
    tried = sample_texts.texts(text, sample_texts.samples(catalog, {}, AT))
    assert tried.failed == []
    assert tried.made == ["Sample of 1200", "nobody of ", "Sample of 1200"]
