"""The document ``service:`` and the node ``call``: what they say, and every problem with its code."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from caravan.journeys import core
from caravan.journeys.compiler import compile_journey
from caravan.journeys.control import Target
from caravan.journeys.diagram import mermaid
from caravan.journeys.plan import Plan, control_plan
from caravan.journeys.service import ApiKey, Basic, OAuth2
from caravan.journeys.state import Outcome
from caravan.journeys.workspace import Workspace, load_workspace

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)

HEAD = """workspace: ws
sender: {name: Us, email: us@us.example}
fields: {person: {fit_score: integer}}
---
audience: everyone
of: accounts
when: {}
---
"""

SERVICE = """service: scoring
url: https://scoring.example/v2
auth: {api_key_env: SCORING_KEY}
attributes: {model: b2b, key: {env: SCORING_KEY}}
fields:
  out: {accountName: account.name, accountId: account.account_id, mail: person.email}
  in: {score: person.fit_score}
"""

JOURNEY = """journey: j
audience: everyone
schedule: {end: 30 days}
start: ask
nodes:
  ask:
    call: scoring
    of: account
    with: {type: "full {{ account.name }}", count: 3}
    paths:
      - {label: Hot, when: {score: {at_least: 80}}, next: rest}
      - {when: {tier: [a, b]}, end: lost}
    timeout: 30 minutes
    failed: rest
    next: people
  people:
    call: scoring
    of: account_people
    paths:
      - {label: Buyer, when: {role: buyer}, do: [{person_interesting_moment: {type: web, text: hi}}]}
    next: rest
  rest: {wait: 1 day}
"""


def workspace(folder: Path, service: str = SERVICE, journey: str = JOURNEY) -> Workspace:
    (folder / "ws.yaml").write_text(HEAD + service, encoding="utf-8")
    (folder / "j.yaml").write_text(journey, encoding="utf-8")
    return load_workspace(folder, AT)


def problems(
    folder: Path, service: str = SERVICE, journey: str = JOURNEY
) -> list[tuple[str, int, str, str | None, str | None]]:
    found = workspace(folder, service, journey).problems
    return [(p.file, p.line, p.code, p.node, p.document) for p in found]


def test_a_service_and_its_calls_are_compiled_into_the_plan(tmp_path: Path) -> None:
    read = workspace(tmp_path)
    assert read.problems == ()
    compiled = compile_journey(read, "j")
    plan = Plan.model_validate_json(compiled.plan.model_dump_json())
    assert plan.hash == compiled.plan.hash
    assert plan.services["scoring"].auth == ApiKey(key_env="SCORING_KEY")
    control = control_plan(plan)
    assert control.nodes["ask"].edges == {
        "1": Target(node="rest"),
        "2": Target(reason="completed", label="lost"),
        "otherwise": Target(node="people"),
        "timeout": Target(node="rest"),
        "failed": Target(node="rest"),
    }
    assert control.nodes["people"].edges["failed"] == Target(reason="failed")
    assert "scoring" not in control.model_dump_json()  # what enters Temporal is kinds and edges
    assert [campaign.name for campaign in compiled.campaigns] == ["j.people"]
    assert "call scoring" in mermaid(plan)


def test_the_core_asks_then_rests_then_serves_the_paths_actions(tmp_path: Path) -> None:
    plan = control_plan(compile_journey(workspace(tmp_path), "j").plan)
    state = core.leave(plan, core.begin(plan, AT), Target(node="people"), AT)
    asked = core.next_command(plan, state)
    assert asked is not None
    assert (asked.kind, asked.segment) == ("call", 0)
    state = core.apply(plan, state, Outcome(step_no=1, command=asked, until=AT, at=AT))
    assert state.pending is not None
    assert core.next_command(plan, state) == asked
    state = core.apply(plan, state, Outcome(step_no=2, command=asked, at=AT))
    assert state.pending is None
    follows = core.next_command(plan, state)
    assert follows is not None
    assert (follows.kind, follows.segment) == ("store", 1)
    state = core.apply(plan, state, Outcome(step_no=3, command=follows, edge="next", at=AT))
    assert state.position == "rest"


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ("{api_key_env: K, header: X-Own}", ApiKey(key_env="K", name="X-Own")),
        ("{api_key_env: K, query: key}", ApiKey(key_env="K", name="key", place="query")),
        ("{username_env: U, password_env: P}", Basic(username_env="U", password_env="P")),
        (
            "{token_url: https://a.example/t, client_id_env: I, client_secret_env: S}",
            OAuth2(token_url="https://a.example/t", client_id_env="I", client_secret_env="S"),
        ),
    ],
)
def test_every_way_to_log_in_of_the_contract_can_be_said(
    tmp_path: Path, auth: str, expected: object
) -> None:
    read = workspace(tmp_path, SERVICE.replace("{api_key_env: SCORING_KEY}", auth))
    assert read.problems == ()
    assert read.services["scoring"].auth == expected


@pytest.mark.parametrize(
    ("was", "becomes", "code", "line"),
    [
        ("https://scoring.example/v2", "http://scoring.example/v2", "bad-value", 10),
        ("https://scoring.example/v2", "ftp://scoring.example", "bad-value", 10),
        ("https://scoring.example/v2", "https://u:p@scoring.example", "bad-value", 10),
        ("https://scoring.example/v2", "https://scoring.example/?k=v", "bad-value", 10),
        ("https://scoring.example/v2", "https://[::1", "bad-value", 10),
        ("https://scoring.example/v2", "https://scoring.example:0", "bad-value", 10),
        ("https://scoring.example/v2", "https://scöring.example", "bad-value", 10),
        ("https://scoring.example/v2", "{}", "bad-value", 10),
        ("url: https://scoring.example/v2\n", "", "missing-key", 9),
        ("api_key_env", "api_key", "missing-key", 11),
        ("api_key_env: SCORING_KEY", "api_key_env: a b", "bad-value", 11),
        ("api_key_env: SCORING_KEY", "api_key_env: A, username_env: B, password_env: C", "bad-value", 11),
        ("model: b2b", "model: [a]", "bad-value", 12),
        ("key: {env: SCORING_KEY}", "key: {file: x}", "missing-key", 12),
        ("account.name", "account.nmae", "unknown-field", 14),
        ("account.name", "opportunity.name", "bad-value", 14),
        ("score: person.fit_score", "score: person.person_id", "unknown-field", 15),
        ("score: person.fit_score", "score: person.fit_score, b: person.fit_score", "duplicate-key", 15),
        ("  in:", "  im:", "unknown-key", 15),
        ("service: scoring", "service: Scoring!", "bad-value", 9),
    ],
)  # fmt: skip
def test_a_service_that_is_wrong_is_told_where(
    tmp_path: Path, was: str, becomes: str, code: str, line: int
) -> None:
    assert was in SERVICE
    found = problems(tmp_path, SERVICE.replace(was, becomes))
    told = [(file, at, what) for file, at, what, _, document in found if document != "journey:j"]
    assert ("ws.yaml", line, code) in told


@pytest.mark.parametrize(
    ("was", "becomes", "code"),
    [
        (
            "call: scoring\n    of: account\n",
            "call: scorings\n    of: account\n",
            "unknown-service",
        ),
        ("of: account\n", "of: accounts\n", "bad-value"),
        ("timeout: 30 minutes", "timeout: 241 minutes", "bad-value"),
        ("timeout: 30 minutes", "timeout: 5 hours", "bad-value"),
        ("timeout: 30 minutes", "timeout: 1 day", "bad-value"),
        ("timeout: 30 minutes", "timeout: soon", "bad-duration"),
        ("failed: rest", "failed: rset", "unknown-node"),
        ("next: rest}\n", "next: rset}\n", "unknown-node"),
        ("account.name", "account.nmae", "unknown-variable"),
        ("count: 3", "count: [3]", "bad-value"),
        ("at_least: 80", "at_lest: 80", "unknown-key"),
        ("at_least: 80", "at_least: x", "bad-value"),
        ("{label: Hot, when: {score: {at_least: 80}},", "{label: Hot,", "missing-key"),
        ("when: {tier: [a, b]}, end: lost", "when: {tier: a}, label: Hot", "duplicate-label"),
        ("when: {tier: [a, b]}, end: lost", "when: {tier: a}, label: otherwise", "duplicate-label"),
        ("when: {tier: [a, b]}, end: lost", "when: {tier: a}, do: []", "wrong-context"),
        ("timeout: 30 minutes", "timeuot: 30 minutes", "unknown-key"),
    ],
)
def test_a_call_that_is_wrong_is_told_at_its_node(
    tmp_path: Path, was: str, becomes: str, code: str
) -> None:
    assert was in JOURNEY
    found = problems(tmp_path, journey=JOURNEY.replace(was, becomes, 1))
    assert (code, "ask", "journey:j") in [(what, node, doc) for _, _, what, node, doc in found]


@pytest.mark.parametrize(
    ("was", "becomes", "code"),
    [
        ("do: [{person_interesting_moment: {type: web, text: hi}}]", "next: rest", "wrong-context"),
        ("person_interesting_moment: {type: web", "account_interesting_moment: {type: web",
         "account-action-in-people-split"),
    ],
)  # fmt: skip
def test_people_regroup_behind_a_call(tmp_path: Path, was: str, becomes: str, code: str) -> None:
    assert was in JOURNEY
    found = problems(tmp_path, journey=JOURNEY.replace(was, becomes, 1))
    assert (code, "people") in [(what, node) for _, _, what, node, _ in found]


def test_a_call_does_not_slow_a_cycle_down(tmp_path: Path) -> None:
    found = problems(
        tmp_path, journey=JOURNEY.replace("rest: {wait: 1 day}", "rest: {call: scoring, next: ask}")
    )
    assert "cycle-without-wait" in [code for _, _, code, _, _ in found]
