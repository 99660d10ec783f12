"""The node ``decide``: what it says, every problem with its place, and what of it the workflow knows."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from caravan.journeys import core
from caravan.journeys.comparing import compare
from caravan.journeys.compiler import compile_journey
from caravan.journeys.control import Target
from caravan.journeys.diagram import mermaid
from caravan.journeys.nodes.decide import Decide
from caravan.journeys.plan import Plan, control_plan
from caravan.journeys.state import Outcome
from caravan.journeys.workspace import Workspace, load_workspace
from tests.documents import misfits

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)

HEAD = """workspace: ws
---
audience: everyone
of: accounts
when: {}
---
"""
JOURNEY = """journey: j
audience: everyone
schedule: {end: 30 days}
start: triage
nodes:
  triage:
    decide: accounts
    label: Where to
    paths:
      - {label: Hot, prompt: Several people are engaged., next: rest}
      - {prompt: Nothing has been heard of it for a long time., end: cold}
    confidence: 0.7
    otherwise: other
  other: {wait: 2 days}
  rest: {wait: 1 day}
"""
HOT = "{label: Hot, prompt: Several people are engaged., next: rest}"


def workspace(folder: Path, journey: str = JOURNEY) -> Workspace:
    (folder / "j.yaml").write_text(HEAD + journey, encoding="utf-8")
    return load_workspace(folder, AT)


def read(folder: Path, journey: str = JOURNEY) -> Plan:
    found = workspace(folder, journey)
    assert found.problems == ()
    return compile_journey(found, "j").plan


def test_a_decide_is_compiled_into_the_plan_and_its_words_stay_out_of_temporal(
    tmp_path: Path,
) -> None:
    plan = read(tmp_path)
    assert Plan.model_validate_json(plan.model_dump_json()).hash == plan.hash
    control = control_plan(plan)
    assert control.nodes["triage"].edges == {
        "1": Target(node="rest"),
        "2": Target(reason="completed", label="cold"),
        "otherwise": Target(node="other"),
    }
    assert control.nodes["triage"].names == {"1": "Hot"}
    assert "engaged" not in control.model_dump_json()
    assert compile_journey(workspace(tmp_path), "j").campaigns == ()
    assert misfits(HEAD + JOURNEY) == []


def test_confidence_is_six_tenths_where_nothing_is_said(tmp_path: Path) -> None:
    node = read(tmp_path, JOURNEY.replace("    confidence: 0.7\n", "")).nodes["triage"]
    assert isinstance(node, Decide)
    assert node.confidence == 0.6


def test_picture_shows_who_decides_and_where_each_path_leads(tmp_path: Path) -> None:
    picture = mermaid(read(tmp_path))
    assert "a model decides, from 70% on" in picture
    assert '|"Hot"|' in picture
    assert '|"otherwise"|' in picture


def test_the_core_asks_once_and_follows_the_path(tmp_path: Path) -> None:
    plan = control_plan(read(tmp_path))
    state = core.begin(plan, AT)
    asked = core.next_command(plan, state)
    assert asked is not None
    assert (asked.kind, asked.visit) == ("decide", 1)
    for edge, position in (("1", "rest"), ("otherwise", "other")):
        outcome = Outcome(step_no=1, command=asked, edge=edge, at=AT)
        assert core.apply(plan, state, outcome).position == position
    ended = core.apply(plan, state, Outcome(step_no=1, command=asked, edge="2", at=AT)).ended
    assert ended is not None
    assert (ended.reason, ended.label) == ("completed", "cold")


@pytest.mark.parametrize(
    ("old", "new", "line", "code"),
    [
        ("decide: accounts", "decide: people", 13, "bad-value"),
        ("    otherwise: other\n", "    next: other\n", 12, "missing-key"),
        ("    otherwise: other\n", "    otherwise: other\n    next: rest\n", 20, "unknown-key"),
        ("otherwise: other", "otherwise: nowhere", 19, "unknown-node"),
        ("confidence: 0.7", "confidence: 70", 18, "bad-value"),
        ("confidence: 0.7", "confidence: true", 18, "bad-value"),
        ("confidence: 0.7", "confidence: high", 18, "bad-value"),
        (HOT, "{label: Hot, next: rest}", 16, "missing-key"),
        (HOT, "{label: Hot, prompt: '  ', next: rest}", 16, "bad-value"),
        (HOT, "{label: Hot, prompt: '{{ account.name }} is hot', next: rest}", 16, "bad-value"),
        (HOT, "{label: Hot, prompt: '" + "x" * 1001 + "', next: rest}", 16, "text-too-long"),
        (HOT, "{label: Hot, prompt: hot, when: {}, next: rest}", 16, "unknown-key"),
        ("label: Hot", "label: otherwise", 15, "duplicate-label"),
        ("label: Hot", "label: 2", 15, "duplicate-label"),
        ("rest: {wait: 1 day}", "rest: {do: [], next: triage}", 12, "cycle-without-wait"),
    ],
)  # fmt: skip
def test_mistake_has_its_line(tmp_path: Path, old: str, new: str, line: int, code: str) -> None:
    assert old in JOURNEY
    found = workspace(tmp_path, JOURNEY.replace(old, new, 1)).problems
    assert (line, code) in [(problem.line, problem.code) for problem in found], found


def test_no_more_paths_than_the_limit(tmp_path: Path) -> None:
    many = "\n".join(f"      - {{prompt: p {n}, next: rest}}" for n in range(26))
    found = workspace(tmp_path, JOURNEY.replace(f"      - {HOT}", many)).problems
    assert [problem.code for problem in found] == ["too-many-paths"]


def test_a_changed_prompt_is_told_between_versions(tmp_path: Path) -> None:
    before = read(tmp_path)
    after = read(tmp_path, JOURNEY.replace("Several people", "Two people"))
    [change] = [one for one in compare(before, after, {}).nodes if one.change == "changed"]
    [difference] = change.differences
    assert (change.node, difference.key) == ("triage", "paths.Hot.prompt")
