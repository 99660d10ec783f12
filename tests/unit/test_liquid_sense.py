"""What no message can be made of is a problem of validation; what is none renders, whatever the data."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caravan.delivery import liquid as sending
from caravan.delivery.compose import compile_body, render
from caravan.delivery.liquid import render_text
from caravan.journeys import liquid
from caravan.journeys.fields import STANDARD, FieldCatalog
from caravan.journeys.liquid import problems_of_text
from caravan.journeys.workspace import Workspace, load_workspace
from tests.unit.test_workspace import AT, HEAD, JOURNEY

CATALOG = FieldCatalog()

#: a text, its code, a piece of the message
WRONG = [
    ("{{ person.first_name | capitalise }}", "bad-value", "did you mean capitalize?"),
    ("{{ person.first_name | titlecase }}", "bad-value", "no filter titlecase"),
    ("{{ person.first_name | upcase: 3 }}", "bad-value", "filter upcase"),
    ("{{ person.first_name | append }}", "bad-value", "filter append"),
    ("{{ person.first_name | default: 'x', alow_false: true }}", "bad-value", "alow_false"),
    ("{{ person.first_name | slice: 'a' }}", "bad-value", "filter slice"),
    ("{{ account.employees | divided_by: 0 }}", "bad-value", "divided_by"),
    ("{% assign n = person.first_name %}{{ n.foo }}", "unknown-variable", "n is a text"),
    ("{% assign n = person.first_name %}{{ n.size }}", "unknown-variable", "write n | size"),
    ("{% for x in (1..2) %}{{ x.foo }}{% endfor %}", "unknown-variable", "x is a number"),
    ("{% for x in (1..2) %}{{ forloop.indx }}{% endfor %}", "unknown-variable", "index?"),
    ("{% for x in (1..2) %}{{ forloop.parentloop.index }}{% endfor %}", "unknown-variable", "parentloop"),
    ("{% for x in (1..2) %}{% else %}{{ x }}{% endfor %}", "unknown-variable", "some cases only"),
    ("{% capture c %}x{% endcapture %}{{ c.foo }}", "unknown-variable", "c is a text"),
    ("{% assign all = 'a,b' | split: ',' %}{{ all.foo }}", "unknown-variable", "of a list"),
    ("{% assign account = 'x' %}{{ account.name }}", "unknown-variable", "account is a text"),
    ("{% liquid assign q = 1\n echo q.x %}", "unknown-variable", "q is a number"),
    ("{% if account.name %}{% assign y = 1 %}{% endif %}{{ y }}", "unknown-variable", "some cases only"),
    ("{% case account.name %}{% when 'a' %}{% assign y = 1 %}{% endcase %}{{ y }}", "unknown-variable", "y has"),
    ("{% if account.name > 3 %}a{% endif %}", "bad-value", "have no order"),
    ("{% if account.name != blank and 3 <= account.name %}a{% endif %}", "bad-value", "have no order"),
    ("{% if person.date_of_birth < now %}a{% endif %}", "bad-value", "compare dates as texts"),
    ("{% if account.employees contains 'a' %}a{% endif %}", "bad-value", "is a number"),
    ("{% for x in (1..3) limit: account.employees %}{% endfor %}", "bad-value", "plus: 0"),
    ("{% break %}", "bad-value", "no loop"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "says"), WRONG, ids=[text for text, _, _ in WRONG])
def test_what_no_message_can_be_made_of_is_told(text: str, code: str, says: str) -> None:
    [(told, message)] = problems_of_text(text, CATALOG, person=True)
    assert (told, says in message) == (code, True), message


RIGHT = [
    "{{ person.first_name | default: 'you', allow_false: true | upcase | truncate: 5, '' }}",
    "{% if account.name %}{% assign y = 1 %}{% else %}{% assign y = 2 %}{% endif %}{{ y }}",
    "{% assign y = 0 %}{% for x in (1..3) %}{% assign y = y | plus: x %}{% endfor %}{{ y }}",
    "{% assign all = person.first_name | split: ' ' %}{{ all.first }}{{ all[7] }}{{ all.size }}{{ all.last }}",
    "{% for x in (1..2) %}{% for y in (1..2) %}{{ forloop.parentloop.index }}{% break %}{% endfor %}{% endfor %}",
    "{% capture c %}{{ account.name }}{% endcapture %}{{ c.size }}",
    "{% assign today = now | date: '%Y-%m-%d' %}{% if person.date_of_birth < today %}past{% endif %}",
    "{% assign n = account.employees | plus: 0 %}{% for x in (1..9) limit: n %}.{% endfor %}",
    "{% tablerow x in (1..3) cols: 2 %}{{ tablerowloop.col }}{% endtablerow %}",
    "{% case account.name %}{% when 'a', 'b' %}x{% else %}y{% endcase %}{% increment z %}{{ z }}",
    "{% assign all = 'a,b' | split: ',' %}{% for one in all %}{{ all[forloop.index0] }}{% endfor %}",
    "{% unless account.employees > 3 %}{% cycle 'a', 'b' %}{% endunless %}",
]


def empty() -> dict[str, Any]:
    """What a message is made of where nothing is known of anybody."""
    return {
        "account": dict.fromkeys(STANDARD["account"]),
        "person": dict.fromkeys(STANDARD["person"]),
        "my": {},
        "now": datetime(2026, 3, 2, tzinfo=UTC),
    }


@pytest.mark.parametrize("text", RIGHT)
def test_what_can_be_rendered_is_no_problem(text: str) -> None:
    assert list(problems_of_text(text, CATALOG, person=True)) == []
    render_text(text, empty())


def test_validation_knows_the_filters_that_sending_knows() -> None:
    assert set(liquid._written.filters) == set(sending._plain.filters)
    assert set(liquid._expanded.filters) == set(sending._html.filters)


MAIL = """---
email: hi
subject: "{{ person.first_name | capitalise }}"
---
<p>
{{ account.name | titlecase }}
{% render 'hero', title: account.name %}
{{ unsubscribe_link }} {{ postal_address }}</p>
"""


def workspace(folder: Path, mail: str, hero: str, journey: str = JOURNEY) -> Workspace:
    (folder / "emails" / "fragments").mkdir(parents=True, exist_ok=True)
    (folder / "ws.yaml").write_text(HEAD)
    (folder / "j.yaml").write_text(journey)
    (folder / "emails" / "hi.html").write_text(mail)
    (folder / "emails" / "fragments" / "hero.html").write_text(hero)
    return load_workspace(folder, AT)


def told(found: Workspace) -> list[tuple[str, int, str]]:
    return [(problem.file, problem.line, problem.code) for problem in found.problems]


def test_mails_and_fragments_tell_where_it_stands(tmp_path: Path) -> None:
    found = workspace(tmp_path, MAIL, "\n{{ title | upcas }}{{ title.foo }}")
    assert told(found) == [
        ("emails/fragments/hero.html", 2, "bad-value"),
        ("emails/fragments/hero.html", 2, "unknown-variable"),
        ("emails/hi.html", 3, "bad-value"),
        ("emails/hi.html", 6, "bad-value"),
    ]


SOUND = MAIL.replace(" | capitalise", "").replace(" | titlecase", "")


@pytest.mark.parametrize(
    ("hero", "render_tag", "says"),
    [
        ("\n{{ title.first }}", "{% render 'hero', title: account.name %}", "title | first"),
        ("\n{% if title > 3 %}{% endif %}", "{% render 'hero', title: account.name %}", "no order"),
        ("\n{{ forloop.index }}", "{% render 'hero' for account.name as title %}", "forloop"),
    ],
)
def test_what_a_fragment_is_given_is_told_in_its_line(
    tmp_path: Path, hero: str, render_tag: str, says: str
) -> None:
    mail = SOUND.replace("{% render 'hero', title: account.name %}", render_tag)
    [problem] = workspace(tmp_path, mail, hero).problems
    assert (problem.file, problem.line) == ("emails/fragments/hero.html", 2)
    assert says in problem.message
    assert problem.message.endswith("(in e-mail hi)")


def test_fragment_may_take_its_own_word_where_it_is_given_none(tmp_path: Path) -> None:
    hero = "{% unless title %}{% assign title = 'Hello' %}{% endunless %}{{ title }}{{ all.first }}"
    mail = SOUND.replace(
        "{% render 'hero', title: account.name %}",
        "{% assign all = account.name | split: ' ' %}{% render 'hero', title: account.name, all: all %}",
    )
    found = workspace(tmp_path, mail, hero)
    assert told(found) == []
    data = empty() | {"unsubscribe_link": "u", "postal_address": "p", "view_link": None}
    assert "Hello" in render(compile_body(found.templates["hi"]), data).html


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("update_account: {field: industry, value: '{{ account.name | slugify }}'}", "bad-value"),
        ("account_interesting_moment: {type: web, text: '{{ my.webinar | upcas }}'}", "bad-value"),
        ("send_sms: {text: '{% assign n = person.city %}{{ n.foo }}'}", "unknown-variable"),
    ],
)
def test_actions_tell_too(tmp_path: Path, action: str, code: str) -> None:
    assert "send_email: {template: hi}" in JOURNEY
    journey = JOURNEY.replace("send_email: {template: hi}", action)
    assert code in {problem.code for problem in workspace(tmp_path, SOUND, "x", journey).errors}


# a small grammar of texts, many of which are sound

TEXTS = ["person.first_name", "person.city", "account.name", "account.country", "'a b'", "''"]
NUMBERS = ["account.employees", "account.annual_revenue", "3", "0"]
OTHERS = ["person.unsubscribed", "person.date_of_birth", "now", "nil", "true"]
LOCALS = [
    "one",
    "two",
    "all",
    "x",
    "forloop.index",
    "forloop.first",
    "all.first",
    "all[1]",
    "one.size",
]
OF_TEXTS = ["upcase", "capitalize", "strip", "append: '!'", "truncate: 4", "size", "split: ' '", "escape",
            "replace: 'a', 'b'", "date: '%Y'", "default: 'x'", "url_encode", "newline_to_br", "slice: 0, 2",
            "prepend: account.name", "strip_html", "truncatewords: 2", "upcas", "append"]  # fmt: skip
OF_NUMBERS = [
    "plus: 1",
    "times: 2",
    "round",
    "abs",
    "at_most: 5",
    "minus: account.employees",
    "ceil",
]
OF_LISTS = ["first", "last", "sort", "reverse", "uniq", "join: ', '", "size", "compact"]

simple = st.sampled_from(TEXTS + NUMBERS + OTHERS + LOCALS)
expression = st.one_of(
    simple,
    st.builds("{} | {}".format, st.sampled_from(TEXTS + LOCALS), st.sampled_from(OF_TEXTS + OF_LISTS)),
    st.builds("{} | split: ' ' | {}".format, st.sampled_from(TEXTS), st.sampled_from(OF_LISTS)),
    st.builds("{} | {}".format, st.sampled_from(NUMBERS), st.sampled_from(OF_NUMBERS)),
)  # fmt: skip
condition = st.one_of(
    simple,
    st.builds(
        "{} {} {}".format, simple, st.sampled_from(["==", "!=", "<", ">=", "contains"]), simple
    ),
)
NAMES = st.sampled_from(["one", "two", "all"])


def around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, max_size=3).map("".join)
    return st.one_of(
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, condition, several, several),
        st.builds("{{% unless {} %}}{}{{% endunless %}}".format, condition, several),
        st.builds("{{% capture {} %}}{}{{% endcapture %}}".format, NAMES, several),
        st.builds(
            "{{% for x in {} limit: {} %}}{}{{% else %}}{}{{% endfor %}}".format,
            st.sampled_from(["all", "one", "(1..3)", "account.name", "person.city"]),
            st.sampled_from(["2", "account.employees", "two"]),
            several,
            several,
        ),
        st.builds(
            "{{% case {} %}}{{% when {} %}}{}{{% else %}}{}{{% endcase %}}".format,
            simple,
            simple,
            several,
            several,
        ),
    )


piece = st.recursive(
    st.one_of(
        st.builds("{{{{ {} }}}}".format, expression),
        st.builds("{{% assign {} = {} %}}".format, NAMES, expression),
        st.sampled_from(["{% break %}", "{% increment two %}", "text"]),
    ),
    around,
    max_leaves=12,
)
#: most begin with names that have values, or little of it would be sound
START = (
    "{% assign one = person.city | append: '' %}{% assign two = 2 %}"
    "{% assign all = account.name | split: ' ' %}"
)
texts = st.builds(lambda start, rest: start + "".join(rest), st.sampled_from([START, START, ""]), st.lists(piece, min_size=1, max_size=5))  # fmt: skip

OF_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=12),
    "integer": st.integers(-(10**12), 10**12),
    "number": st.floats(-1e12, 1e12),
    "boolean": st.booleans(),
    "date": st.dates(date(1900, 1, 1)).map(date.isoformat),
    "datetime": st.just("2026-03-02T08:00:00Z"),
}
USED = {"first_name", "city", "name", "country", "employees", "annual_revenue", "unsubscribed", "date_of_birth"}  # fmt: skip


def record(entity: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            name: st.none() | OF_TYPE[kind] if name in USED else st.none()
            for name, kind in STANDARD[entity].items()
        }
    )


def test_what_validates_renders_whatever_the_data() -> None:
    count = [0, 0]

    @settings(max_examples=100, deadline=None)
    @given(text=texts, account=record("account"), person=record("person"))
    def check(text: str, account: dict[str, Any], person: dict[str, Any]) -> None:
        sound = not list(problems_of_text(text, CATALOG, person=True))
        count[sound] += 1
        if sound:
            render_text(text, empty() | {"account": account, "person": person})

    check()
    wrong, sound = count
    assert sound > wrong / 50  # else nothing much was rendered
