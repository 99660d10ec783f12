"""Validation: every problem at once, with file, line, node and code; never a traceback."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.journeys.compiler import compile_journey
from caravan.journeys.diagram import mermaid
from caravan.journeys.plan import Plan
from caravan.journeys.workspace import load_workspace

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)

HEAD = """workspace: ws
sender: {name: Us, email: us@us.example}
slots: {morning: {at: "09:00"}}
fields: {account: {contract_end: date}}
---
audience: everyone
of: accounts
when: {}
---
"""

JOURNEY = """journey: j
audience: everyone
schedule: {end: 30 days}
start: a
nodes:
  a:
    do:
      - send_email: {template: hi}
    next: b
  b:
    wait: 3 days
    end: done
"""

MAIL = """---
email: hi
subject: 'Hello {{ person.first_name | default: "you" }}'
---
<p>{{ account.name }} <a href="{{ unsubscribe_link }}">out</a> {{ postal_address }}</p>
"""


def problems(
    folder: Path, journey: str, head: str = HEAD, mail: str = MAIL
) -> list[tuple[str, int, str, str | None]]:
    (folder / "emails").mkdir(exist_ok=True)
    (folder / "ws.yaml").write_text(head, encoding="utf-8")
    (folder / "j.yaml").write_text(journey, encoding="utf-8")
    (folder / "emails" / "hi.html").write_text(mail, encoding="utf-8")
    return [(p.file, p.line, p.code, p.node) for p in load_workspace(folder, AT).problems]


def test_valid_workspace_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path, JOURNEY) == []


REPLACED: list[tuple[str, str, int, str, str | None]] = [
    ("audience: everyone", "audience: nobody", 2, "unknown-audience", None),
    ("audience: everyone", "audience: everyone\ncolour: red", 3, "unknown-key", None),
    ("audience: everyone\n", "", 1, "missing-key", None),
    ("schedule: {end: 30 days}\n", "", 1, "end-date-missing", None),
    ("{end: 30 days}", "{start: now}", 3, "end-date-missing", None),
    ("{end: 30 days}", "{end: 2026-01-01T00:00:00Z}", 3, "end-before-start", None),
    ("{end: 30 days}", "{end: 4 years}", 3, "bad-value", None),
    ("{end: 30 days}", "{end: 40 months}", 3, "end-date-too-late", None),
    ("start: a", "start: z", 4, "unknown-node", None),
    ("next: b", "next: c", 9, "unknown-node", "a"),
    ("next: b", "end: x", 10, "unreachable-node", "b"),
    ("next: b", "nxt: b", 9, "unknown-key", "a"),
    ("template: hi", "template: ho", 8, "unknown-template", "a"),
    ("template: hi", "templat: hi", 8, "unknown-key", "a"),
    ("send_email: {template: hi}", "send_mail: {template: hi}", 8, "unknown-key", "a"),
    ("wait: 3 days", "wait: 3 dayz", 11, "bad-duration", "b"),
    ("wait: 3 days", "wait: {for: 3 days, ends_on: evening}", 11, "unknown-slot", "b"),
    ("wait: 3 days", "wait: {ends_on: {at: '09:00', zone: Mars/Olympus}}", 11, "unknown-zone", "b"),
    ("wait: 3 days", "wait: {until: {account: name}}", 11, "operator-type-mismatch", "b"),
    ("wait: 3 days", "wait: {until: {account: nowhere}}", 11, "unknown-field", "b"),
    ("wait: 3 days\n    end: done", "do: []\n    next: a", 6, "cycle-without-wait", "a"),
    ("wait: 3 days", "listen: [{form_filed: {form: x}}]", 11, "unknown-event", "b"),
    ("wait: 3 days", "listen: [{email_clicked: {template: nope}}]", 11, "unknown-template", "b"),
    ("wait: 3 days", "listen: [{account_changed: {field: nope}}]", 11, "unknown-field", "b"),
    ("wait: 3 days", "split: accounts\n    paths: [{when: {account: {name: {greater_than: 3}}}}]", 12, "operator-type-mismatch", "b"),
    ("wait: 3 days", "split: accounts\n    paths: [{when: {account: {employees: many}}}]", 12, "bad-value", "b"),
    ("wait: 3 days", "split: accounts\n    paths: [{when: {role_in_account: x}}]", 12, "wrong-context", "b"),
    ("wait: 3 days", "split: accounts\n    paths: [{when: {acount: {}}}]", 12, "unknown-key", "b"),
    ("wait: 3 days", "split: accounts\n    paths: [{label: x, when: {}}, {label: x, when: {}}]", 12, "duplicate-label", "b"),
    ("wait: 3 days", "split: accounts\n    paths: [{label: 2, when: {}}, {when: {}}]", 12, "duplicate-label", "b"),
    ("wait: 3 days", "split: people\n    paths: [{label: '2', when: {}}, {when: {}}]", 12, "duplicate-label", "b"),
    ("wait: 3 days", "split: people\n    paths: [{label: otherwise, when: {}}]", 12, "duplicate-label", "b"),
    ("wait: 3 days", "split: accounts\n    paths: [{label: otherwise, when: {}}]", 12, "duplicate-label", "b"),
    ("wait: 3 days", "listen: [{form_filled: {times: 3000000000}}]", 11, "bad-value", "b"),
    ("wait: 3 days", "listen: [{form_filled: {people: 3000000000}}]", 11, "bad-value", "b"),
    ("wait: 3 days", "wait:", 11, "bad-duration", "b"),
    ("wait: 3 days", "split: sideways", 11, "bad-value", "b"),
    ("next: b", "next: b\n    end: x", 9, "bad-value", "a"),
    ("start: a", "start: a\ntokens: {a: [1]}", 5, "bad-value", None),
    ("journey: j", "journey:", 1, "missing-key", None),
    ("{end: 30 days}", "{start: 9998-01-01T00:00:00Z, end: 9999-12-31T00:00:00Z}", 3, "end-date-too-late", None),
    ("wait: 3 days", "split: people\n    paths: [{when: {}, do: [{update_account: {field: city, value: x}}]}]", 12, "account-action-in-people-split", "b"),
    ("wait: 3 days", "do: [{update_account: {field: nope, value: x}}]", 11, "unknown-field", "b"),
    ("wait: 3 days", "do: [{update_account: {field: employees, value: many}}]", 11, "bad-value", "b"),
    ("wait: 3 days", "do: [{update_account: {field: city, value: '{{ account.town }}'}}]", 11, "unknown-variable", "b"),
    ("wait: 3 days", "do: [{account_interesting_moment: {type: web, text: '" + "x" * 141 + "'}}]", 11, "text-too-long", "b"),
    ("wait: 3 days", "do: [{send_email: {template: hi, who: {heard: c}}}]", 11, "unknown-node", "b"),
    ("wait: 3 days", "do: [{send_email: {template: hi, who: {heard: [a]}}}]", 11, "bad-value", "b"),
    ("wait: 3 days", "do: [{send_email: {template: hi, who: {heard: []}}}]", 11, "bad-value", "b"),
    ("wait: 3 days", "split: accounts\n    paths: [{when: {heard: a}}]", 12, "wrong-context", "b"),
    ("wait: 3 days", "dance: true", 10, "missing-key", "b"),
    ("wait: 3 days", "wiat: 3 days", 11, "unknown-key", "b"),
    ("wait: 3 days", "lisen: [{form_filled: {}}]", 11, "unknown-key", "b"),
    ("wait: 3 days", "listen: [{form_filled: {next: a, end: x}}]", 11, "bad-value", "b"),
    ("wait: 3 days", "listen: [{form_filled: {}}]\n    timeout: {after: 1 day, next: a, end: x}", 12, "bad-value", "b"),
    ("wait: 3 days", "listen: [{form_filled: {}}]\n    timeout: {after: 1 day, until: 2026-12-01T00:00:00Z}", 12, "bad-value", "b"),
    ("wait: 3 days", "split: accounts\n    paths: [{when: {}, next: a, end: x}]", 12, "bad-value", "b"),
    ("wait: 3 days", "variants: accounts\n    paths: [{share: 50, next: a, end: x}, {share: 50}]", 12, "bad-value", "b"),
    ("wait: 3 days", "listen: [{form_filled: {}}]\n    timeout: {until: 2020-01-01T00:00:00Z, next: a}", 6, "cycle-without-wait", "a"),
    ("wait: 3 days", "variants: accounts\n    paths: [{share: 99}]", 12, "variant-count", "b"),
    ("wait: 3 days", "variants: people\n    paths: [" + ", ".join(["{share: 4}"] * 25) + "]", 12, "variant-count", "b"),
    ("wait: 3 days", "variants: accounts\n    paths: [{share: 100}, {share: 0}]", 12, "share-out-of-range", "b"),
    ("wait: 3 days", "variants: accounts\n    paths: [{share: 33.3}, {share: 66}]", 12, "share-out-of-range", "b"),
    ("wait: 3 days", "variants: accounts\n    paths: [{share: 33}, {share: 66}]", 12, "shares-not-100", "b"),
    ("wait: 3 days", "variants: accounts\n    paths: [{label: 2, share: 33}, {share: 67}]", 12, "duplicate-label", "b"),
    ("wait: 3 days", "variants: accounts\n    method: dice\n    paths: [{share: 33}, {share: 67}]", 12, "bad-value", "b"),
    ("wait: 3 days", "variants: sideways", 11, "bad-value", "b"),
    ("wait: 3 days", "variants: people\n    paths: [{share: 50, next: a}, {share: 50}]", 12, "wrong-context", "b"),
    ("wait: 3 days", "variants: people\n    paths: [{share: 50, do: [{update_account: {field: city, value: x}}]}, {share: 50}]", 12, "account-action-in-people-split", "b"),
    ("wait: 3 days", "wait: 3 days\n    max_visits: {next: a}", 12, "missing-key", "b"),
    ("wait: 3 days", "wait: 3 days\n    max_visits: {count: 0}", 12, "bad-value", "b"),
    ("wait: 3 days", "wait: 3 days\n    max_visits: {count: 2, next: c}", 12, "unknown-node", "b"),
    ("wait: 3 days", "wait: 3 days\n    max_visits: {count: 2, next: a}", 6, "cycle-without-wait", "a"),
    ("wait: 3 days", "decide: accounts", 10, "missing-key", "b"),
    ("start: a", "start: a\nreentry: {from: end}", 5, "missing-key", None),
    ("start: a", "start: a\nreentry: {after: 3 days}", 5, "missing-key", None),
    ("start: a", "start: a\nreentry: {after: 3 days, from: noon}", 5, "bad-value", None),
    ("start: a", "start: a\nreentry: {after: soon, from: end}", 5, "bad-duration", None),
    ("start: a", "start: a\nreentry: {after: 3 days, from: end, limit: 0}", 5, "bad-value", None),
    ("start: a", "start: a\nreentry: {after: 3 days, from: end, requires: luck}", 5, "bad-value", None),
    ("start: a", "start: a\nreentry: {after: 3 days, from: end, often: 3}", 5, "unknown-key", None),
    ("start: a", "start: a\nadmit: {per_day: many}", 5, "bad-value", None),
    ("start: a", "start: a\nadmit: {already_qualified: perhaps}", 5, "bad-value", None),
    ("start: a", "start: a\nzone: Mars/Olympus", 5, "unknown-zone", None),
    ("start: a", "start: a\nstart: b", 5, "duplicate-key", None),
    ("start: a", "start: &x a", 4, "bad-yaml", None),
    ("start: a", "start: [a", 5, "bad-yaml", None),
    ("journey: j", "journey: Not A Slug", 1, "bad-value", None),
    ("journey: j", "jorney: j", 1, "unknown-key", None),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "code", "node"), REPLACED)
def test_mistake_has_its_code_line_and_node(
    tmp_path: Path, old: str, new: str, line: int, code: str, node: str | None
) -> None:
    assert old in JOURNEY
    assert ("j.yaml", line, code, node) in problems(tmp_path, JOURNEY.replace(old, new, 1))


@pytest.mark.parametrize(
    "timeout", ["after: 1 day", "until: 2026-12-01T00:00:00Z, ends_on: {at: '09:00'}"]
)
def test_cycle_over_a_time_out_that_lasts_is_none(tmp_path: Path, timeout: str) -> None:
    listening = "listen: [{form_filled: {}}]\n    timeout: {" + timeout + ", next: a}"
    assert problems(tmp_path, JOURNEY.replace("wait: 3 days", listening)) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "code"),
    [
        ("{{ account.name }}", "{{ account.nam }}", 5, "unknown-variable"),
        ("{{ account.name }}", "{{ my.token }}", 5, "unknown-variable"),
        ("{{ account.name }}", "{% if %}", 5, "bad-value"),
        ("{{ unsubscribe_link }}", "x", 5, "no-unsubscribe-link"),
        ('"{{ unsubscribe_link }}"', '""', 5, "empty-link"),
        ("subject:", "subjekt:", 3, "unknown-key"),
        ("Hello {{ person.first_name | default: \"you\" }}", "", 2, "missing-subject"),
        ("email: hi", "email: ho", 2, "bad-value"),
        ("person.first_name", "person.firstname", 3, "unknown-variable"),
        ("subject:", "from: nobody\nsubject:", 3, "bad-value"),
        ("subject:", "reply_to: Us <us at us.example>\nsubject:", 3, "bad-value"),
    ],
)  # fmt: skip
def test_mistake_in_a_template_has_its_line(
    tmp_path: Path, old: str, new: str, line: int, code: str
) -> None:
    found = problems(tmp_path, JOURNEY, mail=MAIL.replace(old, new, 1))
    assert ("emails/hi.html", line, code) in [one[:3] for one in found]


def test_audience_of_engage_events_is_refused(tmp_path: Path) -> None:
    head = HEAD.replace("when: {}", "when: {did: {event: email_opened}}")
    assert ("ws.yaml", 8, "event-not-in-platform", None) in problems(tmp_path, JOURNEY, head=head)


def test_audiences_that_refer_to_themselves_are_refused(tmp_path: Path) -> None:
    head = HEAD.replace("when: {}", "when: {audience: everyone}")
    assert "circular-reference" in [
        code for _, _, code, _ in problems(tmp_path, JOURNEY, head=head)
    ]


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    wrong = JOURNEY.replace("template: hi", "template: ho").replace("3 days", "3 dayz").replace("audience: everyone", "audience: x")  # fmt: skip
    codes = [code for _, _, code, _ in problems(tmp_path, wrong)]
    assert codes == ["unknown-audience", "unknown-template", "bad-duration"]


def test_string_field_keeps_its_text_as_written(tmp_path: Path) -> None:
    journey = JOURNEY.replace(
        "wait: 3 days", "do: [{update_account: {field: postal_code, value: 0420}}]"
    )
    assert problems(tmp_path, journey) == []
    node = load_workspace(tmp_path, AT).journeys["j"].nodes["b"]
    assert node.kind == "do"
    assert node.actions[0].value == "0420"  # type: ignore[union-attr]


def test_plan_is_the_same_for_the_same_documents_and_survives_json(tmp_path: Path) -> None:
    problems(tmp_path, JOURNEY)
    first = compile_journey(load_workspace(tmp_path, AT), "j")
    again = compile_journey(load_workspace(tmp_path, AT), "j")
    assert first.plan.hash == again.plan.hash
    read = Plan.model_validate_json(first.plan.model_dump_json())
    assert read.hash == first.plan.hash
    assert "flowchart" in mermaid(read)


def test_campaigns_are_maximal_straight_runs(tmp_path: Path) -> None:
    journey = """journey: j
audience: everyone
schedule: {end: 30 days}
start: a
nodes:
  a: {do: [{send_email: {template: hi}}], next: b}
  b: {split: people, paths: [{when: {}, do: [{send_email: {template: hi}}]}], next: c}
  c: {wait: 1 day, next: d}
  d: {split: accounts, paths: [{when: {}, next: e}], otherwise: f}
  e: {do: [], next: g}
  f: {do: [], next: g}
  g: {do: [], next: h}
  h: {do: []}
"""
    assert problems(tmp_path, journey) == []
    campaigns = compile_journey(load_workspace(tmp_path, AT), "j").campaigns
    assert [campaign.nodes for campaign in campaigns] == [("a", "b"), ("e",), ("f",), ("g", "h")]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    place=st.integers(0, len(JOURNEY)),
    cut=st.integers(0, 12),
    junk=st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            [
                "{",
                "[",
                "- ",
                ": ",
                "&a ",
                "*a",
                "!!x ",
                "? ",
                "| ",
                "null",
                "\t",
                "---\n",
                "[[[[",
                "{{",
                "%",
            ]
        ),
    ),
)
def test_no_yaml_makes_validation_raise(tmp_path: Path, place: int, cut: int, junk: str) -> None:
    text = (JOURNEY[:place] + junk + JOURNEY[place + cut :]).encode("utf-8", "replace").decode()
    problems(tmp_path, text)


TOO_MANY = "split: accounts\n    paths: [" + ", ".join(["{when: {}}"] * 26) + "]"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (JOURNEY + "---\n" + JOURNEY, "duplicate-slug"),
        (JOURNEY + "# " + "x" * 256 * 1024, "document-too-large"),
        (JOURNEY + "tokens: " + "{a: " * 60 + "1" + "}" * 60, "document-too-deep"),
        (JOURNEY + "tokens: " + "".join("\n" + " " * n + "a:" for n in range(1, 400)), "document-too-deep"),
        (JOURNEY.replace("wait: 3 days", TOO_MANY, 1), "too-many-paths"),
        (JOURNEY.replace("next: b", "next: [b]", 1), "bad-value"),
    ],
)  # fmt: skip
def test_limit_is_named_by_its_code(tmp_path: Path, text: str, code: str) -> None:
    assert code in [found for _, _, found, _ in problems(tmp_path, text)]


def test_mail_without_a_sender_is_refused(tmp_path: Path) -> None:
    head = re.sub("(?m)^sender:.*\n", "", HEAD)
    assert "missing-sender" in [code for _, _, code, _ in problems(tmp_path, JOURNEY, head=head)]


def test_pair_name_that_no_schema_can_bear_is_refused(tmp_path: Path) -> None:
    head = re.sub("(?m)^workspace: .*$", "workspace: " + "w" * 60, HEAD)
    head = re.sub("(?m)^subscription:.*\n", "", head)
    assert ("ws.yaml", 1, "bad-value", None) in problems(tmp_path, JOURNEY, head=head)


@pytest.mark.parametrize(
    "front", ["from: Us <us@us.example>", "from: '{{ my.sender }}'", "reply_to: us@us.example"]
)
def test_address_in_a_template_may_be_written_or_liquid(tmp_path: Path, front: str) -> None:
    journey = JOURNEY.replace("start: a", "start: a\ntokens: {sender: us@us.example}")
    assert problems(tmp_path, journey, mail=MAIL.replace("subject:", front + "\nsubject:")) == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("us@us.example", "us at us.example", 2),
        ("us@us.example", "us@us.example, reply_to: nobody", 2),
        ("sender:", "scores: {lead: {strat: 0}}\nsender:", 2),
        ("sender:", "scores: {lead: {start: soon}}\nsender:", 2),
        ("sender:", "scores: [lead]\nsender:", 2),
        ('slots: {morning: {at: "09:00"}}', "slots: {morning: }", 3),
    ],
)
def test_mistake_in_the_workspace_has_its_line(
    tmp_path: Path, old: str, new: str, line: int
) -> None:
    found = problems(tmp_path, JOURNEY, head=HEAD.replace(old, new, 1))
    assert ("ws.yaml", line) in [one[:2] for one in found]


def test_scores_may_be_declared(tmp_path: Path) -> None:
    head = HEAD.replace("sender:", "scores: {lead: {start: 5}}\nsender:")
    assert problems(tmp_path, JOURNEY, head=head) == []


MJML = """---
email: hi
subject: Hello
---
<mjml><mj-body><mj-section><mj-column>
<mj-text>{% if account.employees > 3 and account.name != "<b>" %}{{ account.name }}{% endif %}
<a href="{{ unsubscribe_link }}">out</a> {{ postal_address }}</mj-text>
</mj-column></mj-section></mj-body></mjml>
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", []),
        ("</mj-text>", "", [("emails/hi.mjml", 5, "bad-value", None)]),
        ("<mj-text>", "<mj-text a=b>", [("emails/hi.mjml", 5, "bad-value", None)]),
        ("<mj-text>", "xéy><mj-text>", [("emails/hi.mjml", 5, "bad-value", None)]),
        ("<mj-text>", "<mj-text>" + "<p>" * 20_000, [("emails/hi.mjml", 5, "bad-value", None)]),
        ("<mj-text>", "<mj-text>" + "<br>" * 600, []),
        ("<mj-text>", "<mj-include path='x'/><mj-text>", [("emails/hi.mjml", 6, "bad-value", None)]),
    ],
)  # fmt: skip
def test_mjml_is_read_at_validation(
    tmp_path: Path, old: str, new: str, found: list[tuple[str, int, str, str | None]]
) -> None:
    (tmp_path / "emails").mkdir()
    (tmp_path / "emails" / "hi.mjml").write_text(MJML.replace(old, new, 1) if old else MJML)
    (tmp_path / "ws.yaml").write_text(HEAD)
    (tmp_path / "j.yaml").write_text(JOURNEY)
    read = load_workspace(tmp_path, AT).problems
    assert [(one.file, one.line, one.code, one.node) for one in read] == found


def test_paths_may_bear_the_numbers_that_are_theirs(tmp_path: Path) -> None:
    split = "split: accounts\n    paths: [{label: 1, when: {}}, {when: {}}]"
    assert problems(tmp_path, JOURNEY.replace("wait: 3 days\n    end: done", split)) == []


def test_token_keeps_its_text_as_written(tmp_path: Path) -> None:
    tokens = "tokens: {empty: , yes: true, code: 0420, price: 1.50}"
    assert problems(tmp_path, JOURNEY.replace("start: a", f"start: a\n{tokens}")) == []
    read = load_workspace(tmp_path, AT).journeys["j"].tokens
    assert read == {"empty": "", "yes": "true", "code": "0420", "price": "1.50"}


@pytest.mark.parametrize(
    ("of", "when", "refused"),
    [
        ("accounts", "{audience: folk}", True),
        ("people", "{audience: everyone}", True),
        ("people", "{audience: folk}", False),
        ("accounts", "{people: {when: {audience: folk}}}", False),
    ],
)
def test_audience_of_the_other_kind_is_refused(
    tmp_path: Path, of: str, when: str, refused: bool
) -> None:
    head = (
        f"{HEAD}audience: folk\nof: people\nwhen: {{}}\n---\naudience: x\nof: {of}\nwhen: {when}\n"
    )
    found = problems(tmp_path, JOURNEY, head=head)
    assert found == ([("ws.yaml", 16, "wrong-context", None)] if refused else [])


def test_messages_speak_the_words_of_the_document(tmp_path: Path) -> None:
    for written in ("", "true", "[1]"):
        problems(tmp_path, JOURNEY.replace("wait: 3 days", f"wait: {written}"))
        [problem] = load_workspace(tmp_path, AT).problems
        assert "is not a duration, for example 3 days" in problem.message
        assert not re.search(r"None|True|\[1\]", problem.message)


@pytest.mark.parametrize(
    "journey",
    [
        JOURNEY.replace("end: done", f"end: {'x' * 201}"),
        JOURNEY.replace("wait: 3 days", f"wait: 3 days\n    label: {'x' * 201}"),
        JOURNEY.replace("  b:", f"  {'b' * 201}:").replace("next: b", f"next: {'b' * 201}"),
    ],
    ids=["end", "label", "node"],
)
def test_names_that_no_search_attribute_holds_are_too_long(tmp_path: Path, journey: str) -> None:
    assert "text-too-long" in [code for _, _, code, _ in problems(tmp_path, journey)]


EXITS = JOURNEY.replace(
    "start: a", "exits:\n  - {label: out, when: {account: {name: x}}, next: a}\nstart: a"
)


@pytest.mark.parametrize(
    ("old", "new", "line", "code"),
    [
        ("when: {account: {name: x}}, ", "", 5, "missing-key"),
        ("next: a}", "next: z}", 5, "unknown-node"),
        ("next: a}", "nxt: a}", 5, "unknown-key"),
        ("account: {name: x}", "role_in_account: x", 5, "wrong-context"),
        ("goal", "goal: 3, label", 5, "bad-value"),
        ("next: a}", "do: [{send_email: {template: ho}}]}", 5, "unknown-template"),
        ("start: a", "  - {label: out, when: {}}\nstart: a", 6, "duplicate-label"),
        ("  b:", "  exit:b:", 12, "bad-value"),
    ],
)
def test_mistake_in_an_exit_has_its_line(
    tmp_path: Path, old: str, new: str, line: int, code: str
) -> None:
    text = EXITS if old != "goal" else EXITS.replace("label: out", "goal")
    found = problems(tmp_path, text.replace(old, new, 1))
    assert ("j.yaml", line, code) in [one[:3] for one in found]


def test_node_that_only_an_exit_leads_to_is_reachable(tmp_path: Path) -> None:
    text = EXITS.replace("next: a}", "next: c}") + "  c: {do: [], end: won}\n"
    assert problems(tmp_path, text) == []
    compiled = compile_journey(load_workspace(tmp_path, AT), "j")
    assert "anywhere -.->" in mermaid(compiled.plan)
    assert Plan.model_validate_json(compiled.plan.model_dump_json()) == compiled.plan
    assert ("exit:out", "c") in [campaign.nodes for campaign in compiled.campaigns]
