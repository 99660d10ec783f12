"""The document ``tests:``: what it may say, and what is wrong with what it says."""

from pathlib import Path

import pytest

from caravan.journeys.durations import Span
from caravan.journeys.workspace import Workspace, load_workspace
from tests.simulating import AT

HEAD = """
workspace: ws
fields: {account: {contract_end: date}}
---
audience: everyone
when: {}
---
journey: trip
audience: everyone
schedule: {end: 30 days}
start: rest
nodes: {rest: {wait: 3 days, next: mark}, mark: {do: [], end: over}}
---
"""
GOOD = """
tests: good
journey: trip
at: 2026-03-02T08:00:00Z
until: +10 days
given:
  accounts: [{account_id: 007, name: A, employees: 5, contract_end: 2026-12-01}]
  people: [{person_id: p, email: p@x.example, account_id: 007, roles: [buyer, user]}]
  relations: [{account_id: 007, person_id: p, roles: buyer}]
  opportunities: [{opportunity_id: o, account_id: 007, is_won: true}]
  events: [{at: +3 days, type: form_filled, person_id: p, form: meeting, score: 3}]
  changes:
    - {at: +3 days, account: 007, set: {industry: Energy}}
    - {at: 2026-03-04T08:00:00+01:00, change: relation, id: [007, p], set: {roles: [user]}}
expect:
  - {account: 007, entry: 1, path: [rest, mark], effects: [{node: mark, action: send_email, person: p, outcome: sent}], exit: completed, label: over}
"""


def read(folder: Path, document: str) -> Workspace:
    (folder / "ws.yaml").write_text(HEAD + document)
    return load_workspace(folder, AT)


def test_a_test_is_read_as_it_is_written(tmp_path: Path) -> None:
    workspace = read(tmp_path, GOOD)
    assert not workspace.problems
    test = workspace.tests["good"]
    assert (test.at, test.until) == (AT, Span(count=10, unit="days"))
    assert test.given.records["account"] == (
        {"account_id": "007", "name": "A", "employees": 5, "contract_end": "2026-12-01"},
    )
    assert test.given.records["person"][0]["roles"] == ["buyer", "user"]
    assert test.given.events[0].row == {
        "type": "form_filled", "person_id": "p", "form": "meeting", "score": 3,
    }  # fmt: skip
    assert [change.row for change in test.given.changes] == [
        {"change": "account", "id": "007", "set": {"industry": "Energy"}},
        {"change": "relation", "id": ["007", "p"], "set": {"roles": ["user"]}},
    ]
    [expected] = test.expect
    assert expected.said == {"path", "effects", "exit", "label"}
    assert expected.line == 29


@pytest.mark.parametrize(
    ("was", "now", "code", "line"),
    [
        ("journey: trip\nat", "journey: trap\nat", "unknown-journey", 16),
        ("at: 2026-03-02T08:00:00Z\nuntil", "at: +2 days\nuntil", "bad-value", 17),
        ("until: +10 days", "until: 10 days", "bad-value", 18),
        ("name: A, employees", "nme: A, employees", "unknown-field", 20),
        ("employees: 5", "employees: many", "bad-value", 20),
        ("person_id: p, email", "email", "missing-key", 21),
        ("type: form_filled, ", "", "missing-key", 24),
        ("person_id: p, form", "form", "missing-key", 24),
        ("{at: +3 days, account: 007, set", "{at: +3 days, set", "missing-key", 26),
        ("set: {industry: Energy}", "set: {industri: Energy}", "unknown-field", 26),
        ("path: [rest, mark]", "path: [rest, marc]", "unknown-node", 29),
        ("node: mark", "node: marc", "unknown-node", 29),
        ("action: send_email", "action: send_mail", "bad-value", 29),
        ("outcome: sent", "outcome: posted", "bad-value", 29),
        ("exit: completed", "exit: gone", "bad-value", 29),
        ("label: over", "labl: over", "unknown-key", 29),
        ("expect:", "expects:", "missing-key", 15),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, was: str, now: str, code: str, line: int
) -> None:
    assert was in GOOD
    workspace = read(tmp_path, GOOD.replace(was, now, 1))
    assert "good" not in workspace.tests
    found = [(problem.code, problem.line, problem.document) for problem in workspace.errors]
    assert (code, line, "tests:good") in found
