"""Decisions in virtual time: no model is asked, lines decide, and whom none decides for takes ``otherwise`` at once."""

import json
from datetime import datetime

import pytest

from caravan.simulation.page import page
from caravan.simulation.run import BadLines
from tests.simulating import Simulating, bodies, path

JOURNEY = """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: triage
nodes:
  triage:
    decide: accounts
    paths:
      - {label: hot, prompt: It asks for a meeting., next: rest}
      - {prompt: It reads., next: cold}
    otherwise: cold
  rest: {wait: 1 day, end: over}
  cold: {wait: 2 days, end: cooled}
"""
ACCOUNTS = "account_id,name\na,A\nb,B\nc,C\nd,D\n"


def line(
    account: str, decided: str | None, at: str = "2026-03-02T08:00:00Z", node: str = "triage"
) -> str:
    said = {"at": at, "type": "decision", "account_id": account, "node": node, "path": decided}
    return json.dumps({key: value for key, value in said.items() if value is not None})


async def test_lines_decide_and_the_undecided_take_otherwise(simulating: Simulating) -> None:
    workspace = simulating.workspace(JOURNEY, accounts=ACCOUNTS)
    told = await simulating(
        workspace,
        "trip",
        line("a", "hot"),  # as it arrives
        line("b", "2", "2026-03-01T00:00:00Z"),  # before
        line("c", "hot", "2026-03-02T08:00:03Z"),  # what a model takes its time for
        line("d", "hot", "2026-03-02T09:00:01Z"),  # too late
    )
    assert [
        (one["account"], one["outcome"], one["until"], one["by"])
        for one in bodies(told, kind="decide")
    ] == [
        ("a", "hot", "2026-03-02T08:00:00Z", "recorded"),
        ("b", "2", "2026-03-02T08:00:00Z", "recorded"),
        ("c", "hot", "2026-03-02T08:00:03Z", "recorded"),
        ("d", "otherwise", "2026-03-02T08:00:00Z", "nobody"),
    ]
    assert [path(told, account)[-2:] for account in "abcd"] == [
        ["rest", "completed:over"], ["cold", "completed:cooled"], ["rest", "completed:over"],
        ["cold", "completed:cooled"],
    ]  # fmt: skip
    assert told.summary["decisions"] == {"nobody": 1, "recorded": 3}
    assert told.summary["nodes"]["triage"]["paths"] == {"2": 1, "hot": 2, "otherwise": 1}
    drawn = page(told)
    assert "decided by a line" in drawn
    assert "decided by nobody" in drawn
    assert "decisions: recorded" in drawn


async def test_a_line_may_decide_for_otherwise(simulating: Simulating) -> None:
    workspace = simulating.workspace(JOURNEY, accounts="account_id,name\na,A\n")
    told = await simulating(workspace, "trip", line("a", "otherwise"))
    [decided] = bodies(told, kind="decide")
    assert (decided["outcome"], decided["by"]) == ("otherwise", "recorded")


async def test_each_line_decides_for_one_arrival_in_their_order(simulating: Simulating) -> None:
    again = JOURNEY.replace("wait: 1 day, end: over", "wait: 1 day, next: triage")
    workspace = simulating.workspace(again, accounts="account_id,name\na,A\n")
    told = await simulating(workspace, "trip", line("a", "hot"), line("a", "hot"), line("a", "2"))
    assert [one["outcome"] for one in bodies(told, kind="decide")] == ["hot", "hot", "2"]
    assert path(told, "a") == [
        "triage",
        "rest",
        "triage",
        "rest",
        "triage",
        "cold",
        "completed:cooled",
    ]


async def test_an_account_that_waits_for_its_line_is_inside_meanwhile(
    simulating: Simulating,
) -> None:
    workspace = simulating.workspace(JOURNEY, accounts="account_id,name\na,A\n")
    until = "2026-03-02T08:20:00Z"
    told = await simulating(
        workspace,
        "trip",
        line("a", "hot", "2026-03-02T08:30:00Z"),
        until=datetime.fromisoformat(until),
    )
    [decided] = bodies(told, kind="decide")
    assert decided["outcome"] is None
    assert told.summary["nodes"]["triage"]["inside"] == 1
    assert "decisions" not in told.summary


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (line("a", "hott"), "triage has no path hott (there are hot, 2, otherwise)"),
        (line("a", None), "a decision says its path: one of hot, 2, otherwise"),
        (line("a", "hot", node="rest"), "rest is no node that waits for an answer"),
        (line("a", "hot", node="nowhere"), "nowhere is no node that waits for an answer"),
        (line("x", "hot"), "no account x"),
    ],
)
async def test_lines_that_nobody_could_take_are_problems(
    simulating: Simulating, said: str, why: str
) -> None:
    workspace = simulating.workspace(JOURNEY, accounts=ACCOUNTS)
    with pytest.raises(BadLines) as refused:
        await simulating(workspace, "trip", said)
    assert [problem.message for problem in refused.value.problems] == [why]


async def test_the_same_arguments_give_the_same_trace(simulating: Simulating) -> None:
    workspace = simulating.workspace(JOURNEY, accounts=ACCOUNTS)
    lines = (line("a", "hot", "2026-03-02T08:00:03Z"), line("b", "hot"))
    one, other = [await simulating(workspace, "trip", *lines) for _ in range(2)]
    assert [body.body for body in one.lines] == [body.body for body in other.lines]
