"""Journeys in virtual time: who enters when, what comes first at an instant, and the trace, line by line."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from caravan.campaigns import mail_claims, waiting_mail
from caravan.campaigns.may_send import Decision
from caravan.simulation.graph import END, graph_of
from caravan.simulation.lines import BadLine, read_line
from caravan.simulation.page import page
from caravan.simulation.run import BadLines
from caravan.simulation.throw_away import TEMPLATE
from tests.simulating import AT, Simulating, bodies, path

ACCOUNTS = "account_id,name,annual_revenue,contract_end\nb,Bolt,5,\na,Acme,5000,2026-03-20\n"
PEOPLE = (
    "person_id,email,first_name,job_title,unsubscribed,account_id\n"
    "p2,p2@a.example,Pau,Engineer,true,a\n"
    "p1,p1@a.example,Pia,Chief,,a\n"
    "q,q@b.example,Quo,Clerk,,b\n"
)

TRIP = """
journey: trip
audience: everyone
schedule: {end: 30 days, grace: 1 day}
start: hello
nodes:
  hello:
    do:
      - account_interesting_moment: {type: web, text: hello}
      - send_email: {template: hi}
    next: fork
  fork:
    split: accounts
    paths: [{label: Big, when: {account: {annual_revenue: {at_least: 1000}}}, next: by_title}]
    otherwise: rest
  by_title:
    split: people
    paths:
      - {label: Chiefs, when: {person: {job_title: Chief}}, do: [{update_person: {field: seniority, value: top}}]}
    next: ears
  ears:
    listen: [{form_filled: {form: meeting, end: met}}]
    timeout: {after: 5 days, next: rest}
  rest: {wait: 3 days, end: over}
"""


def event(at: str, kind: str, person: str, **fields: Any) -> str:
    return json.dumps({"at": at, "type": kind, "person_id": person, **fields})


def change(at: str, what: str, identity: Any, **fields: Any) -> str:
    return json.dumps({"at": at, "change": what, "id": identity, "set": fields})


async def test_the_trace_says_what_every_account_did(simulating: Simulating) -> None:
    workspace = simulating.workspace(TRIP, ("hi",), accounts=ACCOUNTS, people=PEOPLE)
    told = await simulating(workspace)
    at, later = "2026-03-02T08:00:00Z", "2026-03-07T08:00:00Z"
    done = {"action": "account_interesting_moment", "outcome": "done"}
    assert bodies(told, account="a", entry=1) == [
        {"at": at, "node": "hello", "kind": "enter"},
        {
            "at": at, "node": "hello", "kind": "do",
            "effects": [
                done,
                {"action": "send_email", "template": "hi", "person": "p1", "outcome": "sent"},
                {"action": "send_email", "template": "hi", "person": "p2", "outcome": "skipped", "reason": "unsubscribed"},
            ],
        },
        {"at": at, "node": "fork", "kind": "split", "outcome": "Big"},
        {
            "at": at, "node": "by_title", "kind": "split", "outcome": {"p1": "Chiefs", "p2": None},
            "effects": [{"action": "update_person", "field": "seniority", "person": "p1", "outcome": "done"}],
        },
        {"at": at, "node": "ears", "kind": "listen", "outcome": "timeout", "until": later},
        {"at": later, "node": "rest", "kind": "wait", "until": "2026-03-10T08:00:00Z"},
        {"at": "2026-03-10T08:00:00Z", "node": "rest", "kind": "exit", "reason": "completed", "label": "over"},
    ]  # fmt: skip
    places = [(line.body["at"], line.body["account"]) for line in told.lines]
    assert places == sorted(places)
    assert told.summary == {
        "kind": "summary", "journey": "trip", "version": 1, "at": at, "until": "2026-04-02T08:00:00Z",
        "accounts": 2, "entries": 2, "inside": 0, "exits": {"completed": 2},
        "nodes": {
            "hello": {"arrivals": 2, "inside": 0, "paths": {}},
            "fork": {"arrivals": 2, "inside": 0, "paths": {"Big": 1, "otherwise": 1}},
            "by_title": {"arrivals": 1, "inside": 0, "paths": {"Chiefs": 1}},
            "ears": {"arrivals": 1, "inside": 0, "paths": {"timeout": 1}},
            "rest": {"arrivals": 2, "inside": 0, "paths": {}},
        },
    }  # fmt: skip


async def test_the_same_arguments_give_the_same_trace(simulating: Simulating) -> None:
    accounts = "account_id,name,annual_revenue\n" + "".join(
        f"a{n},A{n},{n * 100}\n" for n in range(60)
    )
    people = "person_id,email,job_title,account_id\n" + "".join(
        f"p{n},p{n}@x.example,{('Chief', 'Clerk')[n % 2]},a{n % 60}\n" for n in range(150)
    )
    # everybody is related to somebody of another account too
    relations = "account_id,person_id\n" + "".join(f"a{n},p{(n * 7) % 150}\n" for n in range(60))
    workspace = simulating.workspace(
        TRIP, ("hi",), accounts=accounts, people=people, relations=relations
    )
    events = [
        event(f"2026-03-0{3 + n % 3}T10:00:00Z", "form_filled", f"p{n}", form="meeting")
        for n in range(0, 60, 3)
    ]
    one, other = [await simulating(workspace, "trip", *events) for _ in range(2)]
    assert [line.body for line in one.lines] == [line.body for line in other.lines]
    assert one.summary == other.summary


@pytest.mark.parametrize(("second", "outcome"), [(0, "heard"), (1, "timeout")])
async def test_an_event_at_the_instant_of_the_time_out_is_heard(
    simulating: Simulating, second: int, outcome: str
) -> None:
    workspace = simulating.workspace(TRIP, ("hi",), accounts=ACCOUNTS, people=PEOPLE)
    told = await simulating(
        workspace,
        "trip",
        event(f"2026-03-07T08:00:0{second}Z", "form_filled", "p1", form="meeting"),
    )
    [ears] = bodies(told, node="ears", kind="listen")
    assert ears["outcome"] == outcome
    if outcome == "heard":
        assert (ears["event"], ears["person"]) == ("form_filled", "p1")
        assert path(told, "a") == ["hello", "fork", "by_title", "ears", "completed:met"]


async def test_events_of_the_workspace_that_are_to_come_happen_when_they_do(
    simulating: Simulating,
) -> None:
    events = event("2026-03-04T10:00:00.25Z", "form_filled", "p1", form="meeting")
    workspace = simulating.workspace(TRIP, ("hi",), accounts=ACCOUNTS, people=PEOPLE, events=events)
    [ears] = bodies(await simulating(workspace), node="ears", kind="listen")
    assert (ears["outcome"], ears["until"]) == ("heard", "2026-03-04T10:00:00.250Z")


ENERGY = """
audience: energy
when: {account: {industry: Energy}}
---
audience: ended
when: {account: {contract_end: {in_past: 10 days}}}
---
journey: by-field
audience: energy
schedule: {end: 30 days}
start: only
nodes: {only: {do: [{account_interesting_moment: {type: web, text: x}}]}}
---
journey: by-time
audience: ended
schedule: {end: 30 days}
start: only
nodes: {only: {do: [{account_interesting_moment: {type: web, text: x}}]}}
"""


async def test_an_account_enters_at_the_instant_a_write_makes_it_qualify(
    simulating: Simulating,
) -> None:
    workspace = simulating.workspace(ENERGY, accounts=ACCOUNTS, people=PEOPLE)
    told = await simulating(
        workspace,
        "by-field",
        change("2026-03-05T12:00:00Z", "account", "b", industry="Energy"),
        change("2026-03-06T12:00:00Z", "account", "new", name="New", industry="Energy"),
        change("2026-04-06T12:00:00Z", "account", "a", industry="Energy"),
    )
    assert [(line["account"], line["at"]) for line in bodies(told, kind="enter")] == [
        ("b", "2026-03-05T12:00:00Z"),
        ("new", "2026-03-06T12:00:00Z"),
    ], "not a, who qualifies after the end date"


async def test_an_account_enters_when_time_alone_makes_it_qualify(simulating: Simulating) -> None:
    workspace = simulating.workspace(ENERGY, accounts=ACCOUNTS, people=PEOPLE)
    told = await simulating(workspace, "by-time")
    assert [(line["account"], line["at"]) for line in bodies(told, kind="enter")] == [
        ("a", "2026-03-20T00:00:00Z")
    ]


async def test_those_inside_leave_at_the_end_date_and_its_grace(simulating: Simulating) -> None:
    workspace = simulating.workspace(
        """
journey: trip
audience: everyone
schedule: {end: 30 days, grace: 1 day}
start: ears
nodes: {ears: {listen: [{form_filled: {form: meeting}}]}}
""",
        accounts=ACCOUNTS,
        people=PEOPLE,
    )
    told = await simulating(workspace)
    [ears] = bodies(told, account="a", kind="listen")
    assert (ears["outcome"], ears["until"]) == ("timeout", "2026-04-02T08:00:00Z")
    assert bodies(told, account="a", kind="exit") == [
        {"at": "2026-04-02T08:00:00Z", "entry": 1, "node": "ears", "reason": "end-date"}
    ]
    cut = await simulating(workspace, until=AT + timedelta(days=3))
    assert bodies(cut, account="a", kind="listen") == [
        {
            "at": "2026-03-02T08:00:00Z", "entry": 1, "node": "ears", "outcome": None,
            "until": "2026-04-02T08:00:00Z",
        }
    ]  # fmt: skip
    assert (cut.summary["inside"], cut.summary["nodes"]["ears"]["inside"]) == (2, 2)
    assert cut.summary["until"] == "2026-03-05T08:00:00Z"


async def test_a_visit_that_goes_on_has_no_outcome(simulating: Simulating) -> None:
    workspace = simulating.workspace(TRIP, ("hi",), accounts=ACCOUNTS, people=PEOPLE)
    told = await simulating(workspace, until=AT + timedelta(days=1))
    [rest] = bodies(told, node="rest", kind="wait")
    assert (rest["outcome"], rest["until"]) == (None, "2026-03-05T08:00:00Z")


async def test_a_send_is_delivered_at_once(simulating: Simulating) -> None:
    workspace = simulating.workspace(
        """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}], next: fork}
  fork:
    split: accounts
    paths: [{label: Got it, when: {did: {event: email_delivered, since: entry}}, next: rest}]
  rest: {wait: 1 day}
""",
        ("hi",),
        accounts=ACCOUNTS,
        people=PEOPLE,
    )
    told = await simulating(workspace)
    assert [fork["outcome"] for fork in bodies(told, node="fork", kind="split")] == ["Got it"] * 2


async def test_accounts_take_turns_in_order_of_id(simulating: Simulating) -> None:
    """Whoever is first changes the person; the others find it changed."""
    names = ["z", "m", "B", "a"]
    workspace = simulating.workspace(
        """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: mark
nodes: {mark: {do: [{update_person: {field: seniority, value: seen}}]}}
""",
        accounts="account_id,name\n" + "".join(f"{name},{name}\n" for name in names),
        people="person_id,email\np,p@x.example\n",
        relations="account_id,person_id\n" + "".join(f"{name},p\n" for name in names),
    )
    told = await simulating(workspace)
    effects = [(line["account"], line["effects"][0]["outcome"]) for line in bodies(told, kind="do")]
    assert effects == [("B", "done"), ("a", "skipped"), ("m", "skipped"), ("z", "skipped")]


async def test_changes_write_every_kind_of_record(simulating: Simulating) -> None:
    workspace = simulating.workspace(
        """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: rest
nodes:
  rest: {wait: 5 days, next: fork}
  fork:
    split: accounts
    paths:
      - {label: Deal, when: {opportunity: {is_won: true}}, next: people}
      - {label: Renamed, when: {account: {name: Bolt AB}}, next: people}
  people:
    split: people
    paths:
      - {label: Buyers, when: {role_in_account: buyer}}
      - {label: Chiefs, when: {person: {job_title: Chief}}}
""",
        accounts=ACCOUNTS,
        people=PEOPLE,
    )
    told = await simulating(
        workspace,
        "trip",
        change("2026-03-03T00:00:00Z", "opportunity", "o", account_id="a", is_won=True),
        change("2026-03-03T00:00:00Z", "account", "b", name="Bolt AB"),
        change("2026-03-03T00:00:00Z", "person", "q", job_title="Chief"),
        change("2026-03-03T00:00:00Z", "relation", ["a", "p2"], roles=["buyer"]),
        change("2026-03-03T00:00:00Z", "relation", ["b", "p1"], roles="buyer;user"),
    )
    outcomes = {
        line["account"]: line["outcome"] for line in bodies(told, node="fork", kind="split")
    }
    assert outcomes == {"a": "Deal", "b": "Renamed"}
    people = {
        line["account"]: line["outcome"] for line in bodies(told, node="people", kind="split")
    }
    assert people == {
        "a": {"p1": "Chiefs", "p2": "Buyers"},
        "b": {"p1": "Buyers", "q": "Chiefs"},
    }


async def test_what_a_journey_writes_comes_back_by_the_platform(simulating: Simulating) -> None:
    """The word of a later change wins over the journey's, and an earlier one of the file's own loses."""
    workspace = simulating.workspace(
        """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: mark
nodes:
  mark: {do: [{update_account: {field: industry, value: Energy}}], next: rest}
  rest: {wait: 5 days, next: again}
  again: {do: [{update_account: {field: industry, value: Energy}}]}
""",
        accounts=ACCOUNTS,
        people=PEOPLE,
    )
    told = await simulating(
        workspace, "trip", change("2026-03-04T00:00:00Z", "account", "a", industry="Steel")
    )
    assert bodies(told, node="again", kind="do", account="a")[0]["effects"][0]["outcome"] == "done"
    assert (
        bodies(told, node="again", kind="do", account="b")[0]["effects"][0]["outcome"] == "skipped"
    )


async def test_lines_about_nobody_are_refused(simulating: Simulating) -> None:
    workspace = simulating.workspace(TRIP, ("hi",), accounts=ACCOUNTS, people=PEOPLE)
    with pytest.raises(BadLines) as refused:
        await simulating(
            workspace,
            "trip",
            event("2026-03-04T00:00:00Z", "form_filled", "late"),
            change("2026-03-05T00:00:00Z", "person", "late", email="l@x.example", account_id="a"),
            event("2026-03-06T00:00:00Z", "form_filled", "late"),
            change("2026-03-07T00:00:00Z", "relation", ["nobody", "late"]),
            '{"at": "2026-03-07T00:00:00Z", "type": "decision", "account_id": "a", "node": "fork", "path": "Big"}',
        )
    assert [(one.line, one.message) for one in refused.value.problems] == [
        (1, "no person late"),
        (4, "no account nobody"),
        (5, "fork is no node that waits for an answer"),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "no JSON"),
        ("[]", "an event is an object"),
        ('{"change": "account", "id": "a", "set": {}}', "at takes an instant"),
        ('{"at": "2026-03-02T08:00:00Z", "change": "cat", "id": "a", "set": {}}', "change takes one of"),
        ('{"at": "2026-03-02T08:00:00Z", "change": "account", "id": "a", "set": {"nme": 1}}', "did you mean name"),
        ('{"at": "2026-03-02T08:00:00Z", "change": "account", "id": "a", "set": {"employees": "x"}}', "number"),
        ('{"at": "2026-03-02T08:00:00Z", "change": "relation", "id": "a", "set": {}}', "[account, person]"),
        ('{"at": "2026-03-02T08:00:00Z", "change": "account", "id": "a", "sett": {}}', "no key sett"),
        ('{"at": "2026-03-02T08:00:00Z", "type": "decision", "account_id": "a"}', "its node"),
        ('{"at": "soon", "type": "form_filled", "person_id": "p"}', "at takes an instant"),
    ],
)  # fmt: skip
async def test_a_bad_line_says_why(simulating: Simulating, line: str, why: str) -> None:
    workspace = simulating.workspace(TRIP, ("hi",))
    with pytest.raises(BadLine, match=why.replace("[", r"\[")):
        read_line(line, 1, "events.jsonl", workspace.catalog)


async def test_nothing_is_left_behind(simulating: Simulating) -> None:
    workspace = simulating.workspace(TRIP, ("hi",), accounts=ACCOUNTS, people=PEOPLE)
    await simulating(workspace)
    conn = await asyncpg.connect(simulating.dsn)
    try:
        left = await conn.fetchval(
            "select count(*) from pg_database where datname like 'simulation-%'"
            f" and datname not like '{TEMPLATE}%' and split_part(datname, '-', 2) = $1",
            str(os.getpid()),
        )
        schemas = await conn.fetchval(
            "select count(*) from pg_namespace where nspname like '%simulation%'"
        )
    finally:
        await conn.close()
    assert (left, schemas) == (0, 0)


async def test_a_simulation_begins_at_a_whole_millisecond(simulating: Simulating) -> None:
    workspace = simulating.workspace(TRIP, ("hi",), accounts=ACCOUNTS, people=PEOPLE)
    told = await simulating(workspace, at=datetime(2026, 3, 2, 8, 0, 0, 123999, tzinfo=UTC))
    assert told.summary["at"] == "2026-03-02T08:00:00.123Z"


BY_LIST = """
account_list: large
type: dynamic
when: {account: {annual_revenue: {at_least: 1000}, contract_end: {in_future: 10 days}}}
---
account_list: asked
type: static
members: [b, nobody]
---
journey: trip
audience: {list: LIST}
schedule: {end: 30 days}
start: add
nodes:
  add: {do: [{add_to_journey: {journey: other}}, {remove_from_journey: {journey: other}}], next: rest}
  rest: {wait: 1 day, end: over}
---
journey: other
audience: everyone
schedule: {start: 2026-03-10T08:00:00Z, end: 2026-03-20T08:00:00Z}
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}]}
"""


async def test_who_is_in_the_list_that_is_the_audience_enters(simulating: Simulating) -> None:
    static = simulating.workspace(
        BY_LIST.replace("LIST", "asked"), ("hi",), accounts=ACCOUNTS, people=PEOPLE
    )
    told = await simulating(static)
    assert {line.body["account"] for line in told.lines} == {"b"}
    assert path(told, "b") == ["add", "rest", "completed:over"]
    # the other journey takes the account, and it is not followed there
    [acted] = bodies(told, kind="do")
    assert acted["effects"] == [
        {"action": "add_to_journey", "journey": "other", "outcome": "done"},
        {
            "action": "remove_from_journey",
            "journey": "other",
            "outcome": "skipped",
            "reason": "not-inside",
        },
    ]


async def test_time_alone_brings_an_account_into_a_dynamic_list(simulating: Simulating) -> None:
    dynamic = simulating.workspace(
        BY_LIST.replace("LIST", "large"),
        ("hi",),
        accounts=ACCOUNTS,
        people=PEOPLE,
    )
    told = await simulating(dynamic)
    [entered] = bodies(told, kind="enter")
    assert (entered["account"], entered["at"]) == ("a", "2026-03-10T00:00:00Z")


ROUND = """
---
journey: trip
audience: everyone
schedule: {end: 90 days}
start: fork
nodes:
  fork:
    split: accounts
    paths:
      - {label: Small, when: {account: {employees: {at_most: 10}}}, next: rest}
      - {label: Middle, when: {account: {employees: {at_most: 20}}}, next: rest}
    otherwise: rest
  rest: {wait: 3 days, max_visits: {count: 2, end: enough}, next: two}
  two:
    do: [{update_account: {field: city, value: Oslo}}, {update_account: {field: country, value: "NO"}}]
    next: fork
"""


async def test_paths_between_the_same_two_nodes_are_counted_apart(simulating: Simulating) -> None:
    rows = "".join(f"a{n},A{n},{n}\n" for n in (1, 2, 15, 30))
    workspace = simulating.workspace(ROUND, accounts=f"account_id,name,employees\n{rows}")
    told = await simulating(workspace)
    graph = graph_of(told.ran.compiled.plan, told.lines, told.summary)
    assert graph.edges[("fork", "rest")].counts == {"Small": 4, "Middle": 2, "otherwise": 2}
    assert graph.edges[("fork", f"{END}enough")].counts == {"max-visits": 4}
    drawn = page(told)
    for words in ("4</tspan> Small", "2</tspan> Middle", "2</tspan> otherwise"):
        assert words in drawn


async def test_who_came_too_often_left_from_where_it_stood(simulating: Simulating) -> None:
    workspace = simulating.workspace(ROUND, accounts="account_id,name,employees\na,A,1\n")
    told = await simulating(workspace)
    assert path(told, "a") == [*["fork", "rest", "two"] * 2, "fork", "completed:enough"]
    [left] = bodies(told, kind="exit")
    assert (left["node"], left["reason"], left["label"]) == ("fork", "completed", "enough")


async def test_two_effects_of_a_node_are_told_apart(simulating: Simulating) -> None:
    workspace = simulating.workspace(ROUND, accounts="account_id,name,employees\na,A,1\n")
    acted = bodies(await simulating(workspace), kind="do")[0]
    assert [(one["action"], one["field"]) for one in acted["effects"]] == [
        ("update_account", "city"),
        ("update_account", "country"),
    ]


async def test_held_mail_goes_in_its_hour_and_is_heard_of_then(
    simulating: Simulating, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the place where quiet hours decide, one that holds everybody's mail for nine hours."""
    until = AT + timedelta(hours=9)

    async def decide(visit: Any, *_: Any) -> dict[int, Decision]:
        people = _[-1]
        held = until if visit.as_of < until else None
        return {person.id: Decision(waits_until=held) for person in people}

    monkeypatch.setattr(mail_claims, "decide", decide)
    monkeypatch.setattr(waiting_mail, "decide", decide)
    journey = """
journey: trip
audience: everyone
schedule: {end: 30 days, grace: 1 day}
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}], next: ears}
  ears:
    listen: [{email_delivered: {template: hi, next: rest}}]
    timeout: {after: 5 days, end: silent}
  rest: {wait: 3 days, end: over}
"""
    workspace = simulating.workspace(
        journey,
        ("hi",),
        accounts="account_id,name\nb,Bolt\n",
        people="person_id,email,account_id\nq,q@b.example,b\n",
    )
    told = await simulating(workspace)
    hello, ears = bodies(told, node="hello", kind="do") + bodies(told, node="ears")
    assert hello["effects"] == [
        {"action": "send_email", "template": "hi", "person": "q", "outcome": "held"}
    ]
    assert (ears["outcome"], ears["until"]) == ("heard", "2026-03-02T17:00:00Z")
    assert path(told, "b") == ["hello", "ears", "rest", "completed:over"]
