"""Calls in virtual time: nobody is asked, lines answer, and an unanswered call times out."""

from tests.simulating import Simulating, bodies, path

SERVICE = """
service: scoring
url: https://scoring.example/v2
fields: {out: {accountName: account.name}, in: {}}
---
"""
SCORED = """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: ask
nodes:
  ask:
    call: scoring
    of: account
    paths:
      - {label: hot, when: {score: {at_least: 80}}, next: rest}
    timeout: 30 minutes
    failed: rest
    next: cold
  rest: {wait: 1 day, end: over}
  cold: {wait: 2 days, end: cooled}
"""
ACCOUNTS = "account_id,name\na,A\nb,B\nc,C\n"
ANSWERS = """
{"at": "2026-03-02T08:10:00Z", "type": "call_answer", "account_id": "a", "node": "ask", "accessors": {"score": 90}}
{"at": "2026-03-02T08:10:00Z", "type": "call_answer", "account_id": "b", "node": "ask", "accessors": {"score": 10}}
{"at": "2026-03-02T09:00:00Z", "type": "call_answer", "account_id": "c", "node": "ask", "accessors": {"score": 90}}
"""


async def test_lines_answer_calls_and_the_unanswered_time_out(simulating: Simulating) -> None:
    workspace = simulating.workspace(SERVICE + SCORED, accounts=ACCOUNTS)
    told = await simulating(workspace, "trip", *ANSWERS.split("\n")[1:-1])
    calls = bodies(told, kind="call")
    assert [(one["account"], one["outcome"], one["until"]) for one in calls] == [
        ("a", "hot", "2026-03-02T08:10:00Z"),
        ("b", "otherwise", "2026-03-02T08:10:00Z"),
        ("c", "timeout", "2026-03-02T08:30:00Z"),
    ]
    assert [path(told, account) for account in "abc"] == [
        ["ask", "rest", "completed:over"],
        ["ask", "cold", "completed:cooled"],
        ["ask", "rest", "completed:over"],
    ]


PEOPLE_ASKED = """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: ask
nodes:
  ask:
    call: scoring
    of: people
    paths:
      - label: fit
        when: {score: {at_least: 80}}
        do: [{person_interesting_moment: {type: web, text: Fit}}]
    timeout: 30 minutes
    failed: lost
    end: over
  lost: {wait: 1 day, end: lost}
"""


async def test_people_take_paths_by_what_is_said_of_them(simulating: Simulating) -> None:
    workspace = simulating.workspace(
        SERVICE + PEOPLE_ASKED,
        accounts="account_id,name\na,A\nb,B\n",
        people="person_id,email,account_id\np,p@a.example,a\nq,q@a.example,a\nr,r@b.example,b\n",
    )
    told = await simulating(workspace, "trip", ANSWERS.split("\n")[1])
    assert bodies(told, kind="call") == [
        {
            "at": "2026-03-02T08:00:00Z",
            "account": "a",
            "entry": 1,
            "node": "ask",
            "outcome": {"p": "fit", "q": "fit"},
            "effects": [
                {"action": "person_interesting_moment", "person": "p", "outcome": "done"},
                {"action": "person_interesting_moment", "person": "q", "outcome": "done"},
            ],
            "until": "2026-03-02T08:10:00Z",
        },
        {
            "at": "2026-03-02T08:00:00Z",
            "account": "b",
            "entry": 1,
            "node": "ask",
            "outcome": {"r": "timeout"},
            "effects": [],
            "until": "2026-03-02T08:30:00Z",
        },
    ]
