"""Fragments: checked where they stand, put in where they are taken in, part of the plan."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from caravan.delivery.compose import compile_body, render
from caravan.journeys.compiler import compile_journey
from caravan.journeys.copy_fit import misfits
from caravan.journeys.plan import Plan
from caravan.journeys.templates import TemplateDocument
from caravan.journeys.workspace import Workspace, load_workspace
from tests.unit.test_workspace import AT, HEAD, JOURNEY

MAIL = """---
email: hi
subject: Hello
---
<html><body>
{% render 'hero', title: account.name %}
<p>{{ unsubscribe_link }} {{ postal_address }}</p></body></html>
"""
HERO = "<h1>\n{{ title }} for {{ person.first_name | default: 'you' }}</h1>\n"
DATA = {
    "account": {"name": "A & B"},
    "person": {"first_name": None},
    "my": {},
    "now": datetime(2026, 3, 2, tzinfo=UTC),
    "unsubscribe_link": "https://u.example/?a=1&b=2",
    "postal_address": "1 Street",
    "view_link": None,
}


def workspace(folder: Path, mail: str = MAIL, ending: str = "html", **fragments: str) -> Workspace:
    (folder / "emails" / "fragments").mkdir(parents=True, exist_ok=True)
    (folder / "ws.yaml").write_text(HEAD)
    (folder / "j.yaml").write_text(JOURNEY)
    (folder / "emails" / f"hi.{ending}").write_text(mail)
    for name, text in fragments.items():
        (folder / "emails" / "fragments" / name.replace("__", ".")).write_text(text)
    return load_workspace(folder, AT)


def told(found: Workspace) -> list[tuple[str, int, str]]:
    return [(problem.file, problem.line, problem.code) for problem in found.problems]


def shown(template: TemplateDocument, **data: object) -> str:
    return render(compile_body(template), DATA | data).html


def test_fragment_sees_the_tokens_and_what_it_is_given_alone(tmp_path: Path) -> None:
    mail = MAIL.replace("<body>", "<body>{% assign title = 'mine' %}{% assign own = 1 %}").replace(
        "</body>", "{{ title }}</body>"
    )
    found = workspace(tmp_path, mail, hero__html=HERO + "{% assign title = 'theirs' %}")
    assert told(found) == []
    html = shown(found.templates["hi"])
    assert "A &amp; B for you" in html
    assert "mine</body>" in html


def test_fragment_is_repeated_for_each(tmp_path: Path) -> None:
    mail = MAIL.replace(
        "{% render 'hero', title: account.name %}",
        "{% assign all = 'x,y' | split: ',' %}{% render 'hero' for all as title %}"
        "{% render 'hero' with account.name as title %}",
    )
    found = workspace(tmp_path, mail, hero__html="[{{ title }}]")
    assert told(found) == []
    assert "[x][y][A &amp; B]" in shown(found.templates["hi"])


def test_fragments_nest_once(tmp_path: Path) -> None:
    found = workspace(
        tmp_path,
        hero__html="<h1>{% render 'logo', of: title %}</h1>",
        logo__html="<b>{{ of }}</b>",
    )
    assert told(found) == []
    assert "<h1><b>A &amp; B</b></h1>" in shown(found.templates["hi"])
    assert sorted(found.templates["hi"].fragments) == ["hero", "logo"]


WRONG: list[tuple[dict[str, str], tuple[str, int, str]]] = [
    ({}, ("emails/hi.html", 6, "unknown-template")),
    ({"hero__mjml": "<mj-text/>"}, ("emails/hi.html", 6, "unknown-template")),
    ({"hero__html": "\n{{ titel }}"}, ("emails/fragments/hero.html", 2, "unknown-variable")),
    ({"hero__html": "\n\n{{ person.nme }}"}, ("emails/fragments/hero.html", 3, "unknown-variable")),
    ({"hero__html": "\n{{ my.code }}"}, ("emails/fragments/hero.html", 2, "unknown-variable")),
    ({"hero__html": "\n{% if %}"}, ("emails/fragments/hero.html", 2, "bad-value")),
    ({"hero__html": "---\nemail: hero\n---\n"}, ("emails/fragments/hero.html", 1, "bad-value")),
    (
        {"hero__html": "\n{% render 'none' %}"},
        ("emails/fragments/hero.html", 2, "unknown-template"),
    ),
    (
        {"hero__html": "\n{% render 'hero' %}"},
        ("emails/fragments/hero.html", 2, "circular-reference"),
    ),
    (
        {"hero__html": "\n{% render 'b' %}", "b__html": "{% render 'c' %}", "c__html": "c"},
        ("emails/fragments/hero.html", 2, "bad-value"),
    ),
    ({"hero__html": "\n<a href='#'>x</a>"}, ("emails/fragments/hero.html", 2, "empty-link")),
    ({"hero__html": "\x00"}, ("emails/fragments/hero.html", 1, "bad-value")),
    ({"Hero x__html": "x", "hero__html": HERO}, ("emails/fragments/Hero x.html", 1, "bad-value")),
    ({"hero__html": "{{ buying_group.stage }}"}, ("emails/hi.html", 6, "unknown-variable")),
]


@pytest.mark.parametrize(("fragments", "expected"), WRONG)
def test_what_is_wrong_has_its_file_and_line(
    tmp_path: Path, fragments: dict[str, str], expected: tuple[str, int, str]
) -> None:
    assert expected in told(workspace(tmp_path, MAIL, "html", **fragments))


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("{% include 'hero' %}", "bad-value"),
        ("{% render hero %}", "bad-value"),
        ("{% liquid render 'hero' %}", "bad-value"),
        ("{% render 'hero', person: 1 %}", "bad-value"),
        ("{% fragment 'hero' %}{% endfragment %}", "bad-value"),
    ],
)
def test_other_ways_to_take_something_in_are_refused(tmp_path: Path, tag: str, code: str) -> None:
    mail = MAIL.replace("{% render 'hero', title: account.name %}", tag)
    found = workspace(tmp_path, mail, hero__html="<p>x</p>")
    assert told(found) == [("emails/hi.html", 6, code)]


def test_a_comment_takes_nothing_in(tmp_path: Path) -> None:
    mail = MAIL.replace(
        "{% render 'hero', title: account.name %}",
        "{% comment %}{% render 'gone' %}{% endcomment %}{% raw %}{% render 'x' %}{% endraw %}",
    )
    found = workspace(tmp_path, mail)
    assert told(found) == []
    assert "{% render 'x' %}" in shown(found.templates["hi"])


def test_only_the_body_takes_in_fragments(tmp_path: Path) -> None:
    mail = MAIL.replace("subject: Hello", "subject: \"{% render 'hero' %}\"")
    assert ("emails/hi.html", 3, "bad-value") in told(workspace(tmp_path, mail, hero__html=HERO))


MJML = """---
email: hi
subject: Hello
---
<mjml><mj-body>
{% if person.first_name %}
{% render 'hero', title: account.name %}
{% endif %}
<mj-section><mj-column><mj-text>{{ unsubscribe_link }} {{ postal_address }}</mj-text></mj-column></mj-section>
</mj-body></mjml>
"""
PART = """<mj-section><mj-column>
<mj-text>{{ title }}</mj-text>
</mj-column></mj-section>
"""


def test_mjml_fragments_are_sections_and_conditions_stand_around_them(tmp_path: Path) -> None:
    found = workspace(tmp_path, MJML, "mjml", hero__mjml=PART)
    assert told(found) == []
    template = found.templates["hi"]
    assert "A &amp; B" in shown(template, person={"first_name": "Ann"})
    assert "A &amp; B" not in shown(template, person={"first_name": None})


@pytest.mark.parametrize(
    ("wrong", "line"), [("<mj-text a=b>", 1), ("<mj-include path='x'/><mj-text>", 2)]
)
def test_mjml_mistake_in_a_fragment_is_told_there(tmp_path: Path, wrong: str, line: int) -> None:
    found = workspace(tmp_path, MJML, "mjml", hero__mjml=PART.replace("<mj-text>", wrong))
    assert told(found) == [("emails/fragments/hero.mjml", line, "bad-value")]


def test_published_plan_holds_its_fragments_and_one_without_keeps_its_hash(tmp_path: Path) -> None:
    found = workspace(tmp_path, hero__html=HERO)
    plan = compile_journey(found, "j").plan
    workspace(tmp_path, hero__html="changed")
    stored = Plan.model_validate(plan.model_dump(mode="json"))
    assert stored.hash == plan.hash
    assert stored.templates["hi"].fragments == {"hero": HERO}
    assert "A &amp; B for you" in shown(stored.templates["hi"])
    plain = TemplateDocument(email="hi", subject="s", body="b", format="html")
    assert not {"fragments", "solution_interest"} & set(plain.model_dump(mode="json"))


def test_changed_fragment_that_speaks_of_a_field_the_version_lacks_does_not_fit(
    tmp_path: Path,
) -> None:
    plan = compile_journey(workspace(tmp_path, hero__html=HERO), "j").plan
    head = HEAD.replace("contract_end: date", "contract_end: date, tier: string")
    (tmp_path / "ws.yaml").write_text(head)
    (tmp_path / "emails/fragments/hero.html").write_text("{{ title }} {{ account.tier }}")
    copy = load_workspace(tmp_path, AT).templates["hi"]
    [misfit] = misfits(copy, plan)
    assert misfit.startswith("account has no field tier")
