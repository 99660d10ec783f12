"""Every code of the contract is produced where it belongs, with its file, line and node."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from caravan.journeys.workspace import load_workspace

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)
LANGUAGE = Path(__file__).resolve().parents[2] / "docs" / "language.md"

#: codes whose case is in another file of tests, by the file
TESTED_ELSEWHERE = {
    "unknown-service": "test_service_documents.py",
    "unknown-persona": "test_personas.py",
    "variant-count": "test_workspace.py",
    "share-out-of-range": "test_workspace.py",
    "shares-not-100": "test_workspace.py",
}

WORKSPACE = """workspace: ws
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
scores: {lead: {start: 0}}
"""

AUDIENCE = """audience: everyone
when: {}
"""

LISTS = """account_list: chosen
type: static
members: [a]
---
account_list: energy
type: dynamic
when: {account: {industry: Energy}}
---
people_list: chiefs
type: static
"""

GROUPS = """roles_template: team
roles:
  - {role: chief, weight: vital, required: true, when: {person: {job_title: Chief}}}
  - {role: user}
---
stage_model: sales
stages:
  - {stage: open, entry: true, to: [won, lost]}
  - {stage: won, success: true}
  - {stage: lost, failure: true}
---
solution_interest: grid
roles_template: team
stage_model: sales
qualified: {completeness: {at_least: 80}}
---
buying_groups: grid-everyone
solution_interest: grid
audience: everyone
---
score_model: default
weights: {form_filled: 40}
---
audience: folk
of: people
when: {}
"""

CAMPAIGN = """campaign: invite
do:
  - send_email: {template: hi}
"""

JOURNEY = """journey: j
audience: everyone
schedule: {end: 30 days}
tokens: {webinar: Monday}
start: a
nodes:
  a:
    do: [{send_email: {template: hi}}]
    next: b
  b:
    wait: 3 days
    next: c
  c:
    do: []
"""

OTHER = JOURNEY.replace("journey: j", "journey: other")

MAIL = """---
email: hi
subject: "Hello"
---
<p>Hi {{ person.first_name }} <a href="{{ unsubscribe_link }}">out</a></p>
"""

FILES = {
    "ws.yaml": WORKSPACE,
    "audience.yaml": AUDIENCE,
    "lists.yaml": LISTS,
    "groups.yaml": GROUPS,
    "campaign.yaml": CAMPAIGN,
    "j.yaml": JOURNEY,
    "other.yaml": OTHER,
    "emails/hi.html": MAIL,
}


def do(action: str) -> tuple[str, str, str]:
    """The last node of the journey does this."""
    return "j.yaml", "do: []", f"do: [{action}]"


def split(condition: str, by: str = "accounts") -> tuple[str, str, str]:
    """The last node of the journey asks this."""
    return "j.yaml", "do: []", f"split: {by}\n    paths: [{{when: {condition}}}]"


MANY = ", ".join(["{when: {}}"] * 26)

#: code → (file, text, what stands there instead), line, node
CASES: list[tuple[str, tuple[str, str, str], int, str | None]] = [
    ("bad-yaml", ("j.yaml", "start: a", "start: [a"), 6, None),
    ("bad-yaml", ("j.yaml", "start: a", "start: &x a"), 5, None),
    ("document-too-large", ("j.yaml", "start: a", "# " + "x" * 300_000 + "\nstart: a"), 1, None),
    ("document-too-large", ("emails/hi.html", "<p>", "<p>" + "x" * 1_100_000), 1, None),
    ("document-too-deep", ("j.yaml", "{webinar: Monday}", "{a: " * 60 + "1" + "}" * 60), 4, None),
    ("unknown-key", ("j.yaml", "start: a", "start: a\nstrat: b"), 6, None),
    ("unknown-key", ("lists.yaml", "members:", "membres:"), 3, None),
    ("unknown-key", ("campaign.yaml", "template:", "templat:"), 3, None),
    ("unknown-key", do("add_to_account_lst: {list: chosen}"), 14, "c"),
    ("missing-key", ("j.yaml", "start: a\n", ""), 1, None),
    ("missing-key", ("lists.yaml", "type: static\nmembers", "members"), 1, None),
    ("missing-key", ("lists.yaml", "when: {account: {industry: Energy}}\n", ""), 5, None),
    ("missing-key", ("campaign.yaml", "do:\n  - send_email: {template: hi}\n", ""), 1, None),
    ("missing-key", do("change_score: {score: lead}"), 14, "c"),
    ("missing-key", do("add_to_people_list: {}"), 14, "c"),
    ("duplicate-key", ("j.yaml", "start: a", "start: a\nstart: b"), 6, None),
    ("duplicate-key", ("ws.yaml", "{lead:", "{email:"), 4, None),
    ("duplicate-slug", ("other.yaml", "journey: other", "journey: j"), 1, None),
    ("duplicate-slug", ("lists.yaml", "account_list: energy", "account_list: chosen"), 5, None),
    ("duplicate-label", ("j.yaml", "do: []", "split: accounts\n    paths: [{label: x, when: {}}, {label: x, when: {}}]"), 15, "c"),
    ("bad-value", ("lists.yaml", "members: [a]", 'members: [""]'), 3, None),
    ("bad-value", ("lists.yaml", "members: [a]", "file: lists/none.csv"), 3, None),
    ("bad-value", ("lists.yaml", "members: [a]", "file: ../secret.csv"), 3, None),
    ("bad-value", ("lists.yaml", "type: static", "type: still"), 2, None),
    ("bad-value", do("add_to_account_list: {list: energy}"), 14, "c"),
    ("bad-value", do("change_score: {score: lead, by: many}"), 14, "c"),
    ("bad-value", do("update_opportunity: {field: amount, value: many}"), 14, "c"),
    ("bad-duration", ("j.yaml", "wait: 3 days", "wait: 3 dayz"), 11, "b"),
    ("unknown-zone", ("j.yaml", "start: a", "zone: Mars/Olympus\nstart: a"), 5, None),
    ("unknown-slot", ("j.yaml", "wait: 3 days", "wait: {ends_on: evening}"), 11, "b"),
    ("unknown-node", ("j.yaml", "next: b", "next: d"), 9, "a"),
    ("unreachable-node", ("j.yaml", "next: c", "end: x"), 13, "c"),
    ("unknown-audience", ("j.yaml", "audience: everyone", "audience: nobody"), 2, None),
    ("unknown-audience", split("{audience: nobody}"), 15, "c"),
    ("unknown-list", ("j.yaml", "audience: everyone", "audience: {list: nobody}"), 2, None),
    ("unknown-list", split("{account_list: chosn}"), 15, "c"),
    ("unknown-list", do("add_to_account_list: {list: nobody}"), 14, "c"),
    ("unknown-journey", do("add_to_journey: {journey: nowhere}"), 14, "c"),
    ("unknown-journey", do("remove_from_journey: {journey: nowhere}"), 14, "c"),
    ("unknown-campaign", do("request_campaign: {campaign: invit}"), 14, "c"),
    ("unknown-campaign", do("request_campaign: {campaign: j.a}"), 14, "c"),
    ("unknown-template", ("campaign.yaml", "template: hi", "template: ho"), 3, None),
    ("unknown-field", do("update_opportunity: {field: amout, value: 1}"), 14, "c"),
    ("unknown-field", do("update_opportunity: {which: {stge: Won}, field: amount, value: 1}"), 14, "c"),
    ("unknown-event", split("{did: {event: form_filed}}"), 15, "c"),
    ("unknown-score", do("change_score: {score: lad, by: 1}"), 14, "c"),
    ("unknown-score", ("j.yaml", "do: []", "listen: [{score_changed: {score: lad}}]"), 14, "c"),
    ("missing-key", ("groups.yaml", "role: user", "weight: vital"), 4, None),
    ("missing-key", ("groups.yaml", "weights: {form_filled: 40}", "weights: {}\n---\nscore_model: other\nweights: {}"), 21, None),
    ("missing-key", ("groups.yaml", "{completeness: {at_least: 80}}", "{}"), 15, None),
    ("duplicate-label", ("groups.yaml", "role: user", "role: CHIEF"), 4, None),
    ("duplicate-label", ("groups.yaml", "stage: lost", "stage: open"), 10, None),
    ("bad-value", ("groups.yaml", "weight: vital", "weight: 100"), 3, None),
    ("bad-value", ("groups.yaml", "required: true", "members_required: 101"), 3, None),
    ("bad-value", ("groups.yaml", "- {role: user}", "\n".join(f"  - {{role: r{n}}}" for n in range(20)).lstrip()), 2, None),
    ("bad-value", ("groups.yaml", "success: true", "success: true, to: [lost]"), 9, None),
    ("bad-value", ("groups.yaml", "success: true", "success: true, failure: true"), 9, None),
    ("bad-value", ("groups.yaml", "failure: true", "success: true"), 10, None),
    ("bad-value", ("groups.yaml", "to: [won", "to: [open, won"), 8, None),
    ("bad-value", ("groups.yaml", "{form_filled: 40}", "{form_filled: -1}"), 22, None),
    ("bad-value", ("groups.yaml", "{form_filled: 40}", "{form_filled: 40}\nactive: false"), 23, None),
    ("bad-value", ("groups.yaml", "{form_filled: 40}", "{}\nactive: true\n---\nscore_model: other\nweights: {}\nactive: true"), 27, None),
    ("bad-duration", ("groups.yaml", "{form_filled: 40}", "{form_filled: 40}\nwindow: 36 hours"), 23, None),
    ("bad-duration", ("groups.yaml", "{form_filled: 40}", "{form_filled: 40}\nwindow: 400 days"), 23, None),
    ("unknown-solution-interest", ("groups.yaml", "solution_interest: grid\naudience", "solution_interest: gird\naudience"), 18, None),
    ("unknown-roles-template", ("groups.yaml", "roles_template: team\nstage_model", "roles_template: tema\nstage_model"), 13, None),
    ("unknown-stage-model", ("groups.yaml", "stage_model: sales\nqualified", "stage_model: sails\nqualified"), 14, None),
    ("unknown-stage", ("groups.yaml", "to: [won", "to: [one"), 8, None),
    ("unknown-solution-interest", split("{buying_group: {solution_interest: gird}}"), 15, "c"),
    ("unknown-stage", split("{buying_group: {solution_interest: grid, stage: opn}}"), 15, "c"),
    ("unknown-role", split("{buying_group: {solution_interest: grid, role: {name: champion}}}"), 15, "c"),
    ("unknown-role", split("{member_of: {role: chif}}", "people"), 15, "c"),
    ("unknown-role", ("lists.yaml", "{account: {industry: Energy}}", "{buying_group: {role: {name: chif}}}"), 7, None),
    ("wrong-context", ("groups.yaml", "{person: {job_title: Chief}}", "{member_of: {role: user}}"), 3, None),
    ("wrong-context", ("audience.yaml", "{}", "{buying_group: {}}"), 2, None),
    ("wrong-context", ("audience.yaml", "{}", "{person: {engagement: 3}}"), 2, None),
    ("duplicate-key", ("ws.yaml", "{lead:", "{engagement:"), 4, None),
    ("duplicate-key", ("ws.yaml", "scores:", "fields: {person: {engagement: number}}\nscores:"), 4, None),
    ("unknown-solution-interest", ("j.yaml", "do: []", "listen: [{buying_group_qualified: {solution_interest: gird}}]"), 14, "c"),
    ("unknown-stage", ("j.yaml", "do: []", "listen: [{buying_group_stage_changed: {solution_interest: grid, to: [won, sold]}}]"), 14, "c"),
    ("unknown-role", ("j.yaml", "do: []", "listen: [{added_to_buying_group: {role: chif}}]"), 14, "c"),
    ("unknown-role", split("{did: {event: removed_from_buying_group, where: {solution_interest: grid, role: champion}}}"), 15, "c"),
    ("unknown-key", ("j.yaml", "do: []", "listen: [{completeness_changed: {stage: open}}]"), 14, "c"),
    ("operator-type-mismatch", ("j.yaml", "do: []", "listen: [{engagement_changed: {score: {contains: 4}}}]"), 14, "c"),
    ("wrong-context", split("{did: {event: buying_group_qualified}}", "people"), 15, "c"),
    ("event-not-in-platform", ("audience.yaml", "{}", "{did: {event: added_to_buying_group}}"), 2, None),
    ("unknown-solution-interest", do("remove_from_buying_group: {solution_interest: gird}"), 14, "c"),
    ("unknown-stage", do("update_buying_group_stage: {solution_interest: grid, stage: opn}"), 14, "c"),
    ("unknown-role", do("assign_to_buying_group: {solution_interest: grid, role: champion}"), 14, "c"),
    ("missing-key", do("update_buying_group_status: {solution_interest: grid}"), 14, "c"),
    ("text-too-long", do("update_buying_group_status: {solution_interest: grid, status: '" + "x" * 51 + "'}"), 14, "c"),
    ("unknown-variable", do("update_buying_group_status: {solution_interest: grid, status: '{{ person.email }}'}"), 14, "c"),
    ("wrong-context", ("campaign.yaml", "send_email: {template: hi}", "update_buying_group_stage: {solution_interest: grid, stage: open}"), 3, None),
    ("account-action-in-people-split", ("j.yaml", "do: []", "split: people\n    paths: [{when: {}, do: [{update_buying_group_stage: {solution_interest: grid, stage: open}}]}]"), 15, "c"),
    ("bad-value", do("send_email: {template: hi, top: {0: engagement}}"), 14, "c"),
    ("bad-value", do("send_email: {template: hi, top: {1: score}}"), 14, "c"),
    ("bad-value", do("send_email: {template: hi, top: {1: engagement, 2: engagement}}"), 14, "c"),
    ("bad-value", do("send_email: {template: hi, top: 3}"), 14, "c"),
    ("unknown-key", do("update_buying_group_stage: {solution_interest: grid, stage: open, top: {1: engagement}}"), 14, "c"),
    ("no-entry-stage", ("groups.yaml", "entry: true, ", ""), 7, None),
    ("no-success-stage", ("groups.yaml", "success: true", "failure: true"), 7, None),
    ("dead-end-stage", ("groups.yaml", "{stage: lost, failure: true}", "{stage: lost}"), 10, None),
    ("unknown-audience", ("groups.yaml", "audience: everyone", "audience: nobody"), 19, None),
    ("wrong-context", ("groups.yaml", "audience: everyone", "audience: folk"), 19, None),
    ("wrong-context", ("groups.yaml", "{person: {job_title: Chief}}", "{heard: a}"), 3, None),
    ("wrong-context", ("groups.yaml", "{form_filled: 40}", "{completeness_changed: 40}"), 22, None),
    ("wrong-context", ("groups.yaml", "{form_filled: 40}", "{added_to_buying_group: 40}"), 22, None),
    ("unknown-variable", do("account_interesting_moment: {type: web, text: '{{ my.webnar }}'}"), 14, "c"),
    ("unknown-variable", ("emails/hi.html", "person.first_name", "person.frst_name"), 5, None),
    ("unknown-variable", ("emails/hi.html", "person.first_name", "my.webinar"), 5, None),
    ("circular-reference", ("audience.yaml", "{}", "{audience: everyone}"), 2, None),
    ("circular-reference", ("lists.yaml", "{account: {industry: Energy}}", "{not: {account_list: energy}}"), 7, None),
    ("circular-reference", ("campaign.yaml", "send_email: {template: hi}", "request_campaign: {campaign: invite}"), 2, None),
    ("circular-reference", do("remove_from_journey: {journey: j}"), 14, "c"),
    ("operator-type-mismatch", split("{person: {lead: {starts_with: a}}}"), 15, "c"),
    ("wrong-context", split("{people_list: chiefs}"), 15, "c"),
    ("wrong-context", split("{account_list: chiefs}"), 15, "c"),
    ("wrong-context", do("add_to_account_list: {list: chiefs}"), 14, "c"),
    ("wrong-context", ("j.yaml", "audience: everyone", "audience: {list: chiefs}"), 2, None),
    ("wrong-context", ("audience.yaml", "{}", "{account_list: chosen}"), 2, None),
    ("wrong-context", ("audience.yaml", "{}", "{person: {lead: 3}}"), 2, None),
    ("wrong-context", ("lists.yaml", "{account: {industry: Energy}}", "{did: {event: form_filled, since: entry}}"), 7, None),
    ("wrong-context", ("campaign.yaml", "send_email: {template: hi}", "add_to_account_list: {list: chosen}"), 3, None),
    ("event-not-in-platform", ("audience.yaml", "{}", "{did: {event: email_clicked}}"), 2, None),
    ("event-not-in-platform", ("audience.yaml", "{}", "{did: {event: score_changed}}"), 2, None),
    ("end-date-missing", ("j.yaml", "schedule: {end: 30 days}\n", ""), 1, None),
    ("end-date-too-late", ("j.yaml", "30 days", "40 months"), 3, None),
    ("end-before-start", ("j.yaml", "30 days", "2026-05-01T00:00:00Z"), 3, None),
    ("too-many-paths", ("j.yaml", "do: []", f"split: accounts\n    paths: [{MANY}]"), 15, "c"),
    ("account-action-in-people-split", ("j.yaml", "do: []", "split: people\n    paths: [{when: {}, do: [{add_to_journey: {journey: other}}]}]"), 15, "c"),
    ("cycle-without-wait", ("j.yaml", "do: []", "do: []\n    next: c"), 13, "c"),
    ("text-too-long", do("account_interesting_moment: {type: web, text: '" + "x" * 141 + "'}"), 14, "c"),
    ("missing-key", do("send_sms: {}"), 14, "c"),
    ("bad-value", do("send_sms: {text: ' '}"), 14, "c"),
    ("text-too-long", do("send_sms: {text: '" + "x" * 1601 + "'}"), 14, "c"),
    ("unknown-variable", do("send_sms: {text: '{{ person.frst_name }}'}"), 14, "c"),
    ("missing-key", do("send_sales_alert: {solution_interest: grid}"), 14, "c"),
    ("missing-key", do("send_sales_alert: {to: [a@us.example]}"), 14, "c"),
    ("unknown-solution-interest", do("send_sales_alert: {solution_interest: gird, to: [a@us.example]}"), 14, "c"),
    ("bad-value", do("send_sales_alert: {solution_interest: grid, to: []}"), 14, "c"),
    ("bad-value", do("send_sales_alert: {solution_interest: grid, to: [sales]}"), 14, "c"),
    ("bad-value", do("send_sales_alert: {solution_interest: grid, to: [a@us.example, A@us.example]}"), 14, "c"),
    ("bad-value", do("send_sales_alert: {solution_interest: grid, to: a@us.example}"), 14, "c"),
    ("wrong-context", do("send_sales_alert: {solution_interest: grid, to: [a@us.example], about: {buying_group: {}}}"), 14, "c"),
    ("unknown-key", do("send_sales_alert: {solution_interest: grid, to: [a@us.example], who: {person: {country: SE}}}"), 14, "c"),
    ("wrong-context", ("campaign.yaml", "send_email: {template: hi}", "send_sales_alert: {solution_interest: grid, to: [a@us.example]}"), 3, None),
    ("account-action-in-people-split", ("j.yaml", "do: []", "split: people\n    paths: [{when: {}, do: [{send_sales_alert: {solution_interest: grid, to: [a@us.example]}}]}]"), 15, "c"),
    ("event-not-in-platform", ("audience.yaml", "{}", "{did: {event: sms_bounced}}"), 2, None),
    ("missing-subject", ("emails/hi.html", 'subject: "Hello"\n', ""), 2, None),
    ("unapproved-content", ("emails/hi.html", '"Hello"\n', '"Hello"\ngenerated: true\n'), 4, None),
    ("missing-sender", ("ws.yaml", "sender: {name: Us, email: us@us.example}\n", ""), 1, None),
    ("no-unsubscribe-link", ("emails/hi.html", "{{ unsubscribe_link }}", "https://us.example"), 5, None),
    ("empty-text-part", ("emails/hi.html", MAIL.partition("<p>")[2], '<img src="x"></p>'), 5, None),
    ("email-too-large", ("emails/hi.html", "<p>", "<p>" + "x" * 110_000), 5, None),
    ("empty-link", ("emails/hi.html", "<p>", '<p><a href="">x</a>'), 5, None),
]  # fmt: skip


def told(folder: Path, *changes: tuple[str, str, str]) -> list[tuple[str, str, int, str | None]]:
    for file, text in FILES.items():
        for name, old, new in changes:
            if name == file:
                assert old in text, old
                text = text.replace(old, new, 1)
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    problems = load_workspace(folder, AT).problems
    assert all(problem.message for problem in problems)
    return [(one.file, one.code, one.line, one.node) for one in problems]


def test_the_workspace_of_these_tests_is_valid(tmp_path: Path) -> None:
    assert told(tmp_path) == []


@pytest.mark.parametrize(
    ("code", "change", "line", "node"),
    CASES,
    ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)],
)
def test_code_is_told_at_its_place(
    tmp_path: Path, code: str, change: tuple[str, str, str], line: int, node: str | None
) -> None:
    file = "emails/hi.html" if code in ("missing-sender",) else change[0]
    assert (file, code, line, node) in told(tmp_path, change)


def test_every_code_of_the_contract_has_a_case_here_or_in_the_file_that_is_named() -> None:
    section = LANGUAGE.read_text(encoding="utf-8").partition("## Validation codes")[2]
    listed = section.partition("`caravan validate DIR")[0]
    codes = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", listed))
    assert codes == {case[0] for case in CASES} | set(TESTED_ELSEWHERE)
    for code, file in TESTED_ELSEWHERE.items():
        assert f'"{code}"' in Path(__file__).with_name(file).read_text(encoding="utf-8")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    changes = [
        case[1]
        for case in CASES
        if case[0] in ("bad-duration", "unreachable-node", "unknown-audience", "unknown-zone", "end-date-too-late")
        and case[1][0] == "j.yaml" and "split" not in case[1][2]
    ]  # fmt: skip
    found = told(tmp_path, *changes, CASES[-1][1], ("lists.yaml", "members:", "membres:"))
    assert {code for _, code, _, _ in found} == {
        "bad-duration",
        "unreachable-node",
        "unknown-audience",
        "unknown-zone",
        "end-date-too-late",
        "empty-link",
        "unknown-key",
    }


def test_sales_alert_needs_the_sender_of_the_workspace(tmp_path: Path) -> None:
    alert = do("send_sales_alert: {solution_interest: grid, to: [a@us.example]}")
    found = told(tmp_path, alert, ("ws.yaml", "sender: {name: Us, email: us@us.example}\n", ""))
    assert ("j.yaml", "missing-sender") in {(file, code) for file, code, _, _ in found}
