"""Stretches: one transaction, decided once, whatever is run again."""

import asyncio
from datetime import timedelta

import pytest

from caravan.campaigns import stretch
from caravan.engage import sql
from caravan.journeys import core
from caravan.journeys.state import State
from tests.world import World

JOURNEY = """
journey: walk
audience: everyone
schedule: {end: 30 days}
start: hello
nodes:
  hello:
    do:
      - update_account: {field: source_type, value: "seen {{ account.name }}"}
      - send_email: {template: hi}
      - person_interesting_moment: {type: web, text: "Hi {{ person.first_name | default: 'you' }}"}
    next: fork
  fork:
    split: accounts
    paths:
      - label: Big
        when: {account: {annual_revenue: {at_least: 1000}}}
        next: people
    otherwise: small
  people:
    split: people
    paths:
      - label: Chiefs
        when: {person: {job_title: {starts_with: Chief}}}
        do: [{update_person: {field: seniority, value: chief}}]
      - when: {role_in_account: user}
        do: [{send_email: {template: hi}}]
    next: pause
  pause:
    wait: 3 days
    next: small
  small:
    do: [{account_interesting_moment: {type: milestone, text: done}}]
    end: over
"""

DATA = {
    "accounts": "account_id,name,annual_revenue\na,Acme,5000\n",
    "people": "person_id,email,first_name,job_title,account_id,roles\n"
    "p1,1@a.example,Ann,Chief of X,a,user\np2,2@a.example,,Clerk,a,user;buyer\np3,3@a.example,,Clerk,a,\n",
}


async def start(world: World) -> int:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, **DATA)
    [traversal] = await world.enter(await world.publish(workspace, "walk"))
    return traversal


async def outcomes(world: World, traversal: int) -> list[tuple[str, str | None]]:
    rows = await sql.fetch(world.engage, "history_of_traversal", traversal_id=traversal)
    return [(f"{row['kind']} {row['node']}", row["outcome"].get("edge")) for row in rows]


async def test_stretch_walks_every_kind_of_node(world: World) -> None:
    traversal = await start(world)
    await world.walk(traversal)
    assert await outcomes(world, traversal) == [
        ("store hello", None),
        ("send hello", None),
        ("store hello", "next"),
        ("choose fork", "1"),
        ("store people", None),
        ("send people", "next"),
        ("wait pause", None),
    ]
    world.pass_time(days=3)
    state = await world.walk(traversal)
    assert state.ended is not None
    assert (state.ended.reason, state.ended.label) == ("completed", "over")
    paths = await world.engage.fetch(
        "select p.external_id, x.path from participants x join people p on p.id = x.person_id"
        " where node = 'people' order by 1"
    )
    assert [tuple(row) for row in paths] == [("p1", "Chiefs"), ("p2", "2"), ("p3", None)]
    account = await world.engage.fetchval("select attributes from accounts")
    assert account["source_type"] == "seen Acme"


async def test_stretch_run_again_returns_the_stored_steps_and_decides_nothing(world: World) -> None:
    traversal = await start(world)
    first = await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    world.pass_time(hours=1)
    again = await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    assert again.outcomes == first.outcomes
    assert await world.engage.fetchval("select count(*) from changes") == 1


async def test_stretches_at_once_decide_once(world: World) -> None:
    traversal = await start(world)
    runs = await asyncio.gather(
        *(stretch.run(world.engage, world.plans, traversal, 1, world.now) for _ in range(8))
    )
    assert all(run.outcomes == runs[0].outcomes for run in runs)
    assert await world.engage.fetchval("select count(*) from steps") == 1


@pytest.mark.parametrize("max_steps", [1, 2, 50])
async def test_step_size_does_not_change_the_trace(world: World, max_steps: int) -> None:
    traversal = await start(world)
    await world.walk(traversal, max_steps=max_steps)
    world.pass_time(days=3)
    await world.walk(traversal, max_steps=max_steps)
    assert [kind for kind, _ in await outcomes(world, traversal)] == [
        "store hello", "send hello", "store hello", "choose fork", "store people", "send people",
        "wait pause", "wait pause", "store small",
    ]  # fmt: skip


async def test_workflow_core_follows_the_stored_outcomes_to_the_stored_state(world: World) -> None:
    traversal = await start(world)
    stored = await world.walk(traversal)
    ran = await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    entered = await world.engage.fetchval("select entered_at from traversals")
    state = core.begin(ran.control, entered)
    for outcome in ran.outcomes:
        state = core.apply(ran.control, state, outcome)
    assert state == stored


async def test_split_keeps_the_values_that_decided_it(world: World) -> None:
    traversal = await start(world)
    await world.walk(traversal)
    because = await world.engage.fetchval("select because from steps where node = 'fork'")
    assert because == {"account.annual_revenue": 5000}


async def test_each_people_condition_keeps_its_own_count(world: World) -> None:
    workspace = world.workspace(
        """
journey: count
audience: everyone
schedule: {end: 30 days}
start: fork
nodes:
  fork:
    split: accounts
    paths:
      - label: Many clerks
        when: {people: {when: {person: {job_title: clerk}}, at_least: 3}}
        next: there
      - label: Chief
        when: {people: {when: {person: {job_title: {starts_with: chief}}}}}
        next: there
      - label: Clerks again
        when: {people: {when: {person: {job_title: clerk}}, at_least: 2}}
        next: there
  there: {do: [], end: there}
"""
    )
    await world.load(workspace, **DATA)
    [traversal] = await world.enter(await world.publish(workspace, "count"))
    await world.walk(traversal)
    step = await world.engage.fetchrow("select outcome, because from steps where node = 'fork'")
    assert step["outcome"]["edge"] == "2"
    assert step["because"] == {"people": 2, "people (2)": 1}


@pytest.mark.parametrize(("people", "large"), [(166, False), (167, True)])
async def test_stretch_is_large_by_the_people_it_looked_at(
    world: World, people: int, large: bool
) -> None:
    """Three actions on 166 people are 498, one on the account makes 499; 167 are past 500."""
    workspace = world.workspace(
        """
journey: crowd
audience: everyone
schedule: {end: 30 days}
start: one
nodes:
  one:
    do:
      - update_person: {field: city, value: Oslo}
      - person_interesting_moment: {type: web, text: hello}
      - update_person: {field: city, value: Oslo}
    next: two
  two: {do: [{account_interesting_moment: {type: web, text: x}}], end: x}
"""
    )
    rows = "".join(f"p{n},p{n}@a.example,a\n" for n in range(people))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people=f"person_id,email,account_id\n{rows}",
    )
    [traversal] = await world.enter(await world.publish(workspace, "crowd"))
    ran = await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    assert ran.large == large
    assert (ran.ended is None) == large
    assert len(ran.outcomes) == (1 if large else 2)


async def test_unfit_value_of_one_person_is_theirs_alone(world: World) -> None:
    workspace = world.workspace(
        """
journey: births
audience: everyone
schedule: {end: 30 days}
start: one
nodes:
  one:
    do:
      - update_person: {field: date_of_birth, value: "{{ person.seniority }}"}
      - person_interesting_moment: {type: web, text: "{{ 100 | divided_by: person.phone }}"}
"""
    )
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,seniority,phone,account_id\n"
        "p1,1@a.example,1980-01-01,4,a\np2,2@a.example,old,none,a\np3,3@a.example,1990-01-01,5,a\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "births"))
    await world.walk(traversal)
    rows = await world.engage.fetch(
        "select l.position, p.external_id, l.state, l.reason from ledger l"
        " left join people p on p.id = l.person_id order by 1, 2"
    )
    assert [tuple(row) for row in rows] == [
        (0, "p1", "done", None),
        (0, "p2", "skipped", "bad-value"),
        (0, "p3", "done", None),
        (1, "p1", "done", None),
        (1, "p2", "skipped", "bad-value"),
        (1, "p3", "done", None),
    ]
    births = await world.engage.fetch(
        "select attributes ->> 'date_of_birth' as born from people order by external_id"
    )
    assert [row["born"] for row in births] == ["1980-01-01", None, "1990-01-01"]
    moments = await world.engage.fetch(
        "select fields ->> 'text' as text from activities where type = 'interesting_moment'"
        " order by person_id"
    )
    assert [row["text"] for row in moments] == ["25", "20"]


async def test_write_the_store_refuses_midway_leaves_nothing_behind(world: World) -> None:
    """The account's row is written first, its outbox row is refused: neither stands, all else does."""
    workspace = world.workspace(
        """
journey: midway
audience: everyone
schedule: {end: 30 days}
start: one
nodes:
  one:
    do:
      - update_account: {field: city, value: before}
      - update_account: {field: source_type, value: forbidden}
      - update_account: {field: state, value: "{{ account.source_type | default: 'untouched' }}"}
"""
    )
    await world.load(workspace, accounts="account_id,name\na,Acme\n")
    await world.engage.execute(
        "alter table changes add check (fields ->> 'source_type' is distinct from 'forbidden')"
    )
    [traversal] = await world.enter(await world.publish(workspace, "midway"))
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.reason == "completed"
    account = await world.engage.fetchval("select attributes from accounts")
    assert account == {"name": "Acme", "city": "before", "state": "untouched"}
    assert [(row["position"], row["state"], row["reason"]) for row in await world.ledger()] == [
        (0, "done", None),
        (1, "skipped", "bad-value"),
        (2, "done", None),
    ]
    assert await world.engage.fetchval("select count(*) from changes") == 2


async def test_unfit_value_is_an_outcome_and_the_account_goes_on(world: World) -> None:
    workspace = world.workspace(
        """
journey: bad
audience: everyone
schedule: {end: 30 days}
start: one
nodes:
  one:
    do:
      - update_account: {field: employees, value: "{{ account.name }}"}
      - update_account: {field: source_type, value: after}
"""
    )
    await world.load(workspace, accounts="account_id,name\na,Acme\n")
    [traversal] = await world.enter(await world.publish(workspace, "bad"))
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.reason == "completed"
    assert [(row["position"], row["state"], row["reason"]) for row in await world.ledger()] == [
        (0, "skipped", "bad-value"),
        (1, "done", None),
    ]


async def test_closed_traversal_commits_nothing_more(world: World) -> None:
    traversal = await start(world)
    await sql.fetch(
        world.engage, "close_traversals", traversal_ids=[traversal], reason="aborted", at=world.now
    )
    ran = await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    assert ran.outcomes == []
    assert ran.ended is not None
    assert ran.ended.reason == "aborted"
    assert await world.engage.fetchval("select count(*) from ledger") == 0


async def test_end_date_ends_those_inside(world: World) -> None:
    traversal = await start(world)
    await world.walk(traversal)
    world.pass_time(days=31)
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.reason == "end-date"


async def test_wait_for_a_date_follows_the_date(world: World) -> None:
    workspace = world.workspace(
        """
journey: dated
audience: everyone
schedule: {end: 365 days}
start: due
nodes:
  due: {wait: {until: {account: contract_end, plus: -10 days, at: "09:00"}}, end: due}
"""
    )
    later = world.now.date() + timedelta(days=200)
    await world.load(workspace, accounts=f"account_id,name,contract_end\na,Acme,{later}\n")
    [traversal] = await world.enter(await world.publish(workspace, "dated"))
    first = await world.walk(traversal)
    assert first.pending is not None

    sooner = later - timedelta(days=50)
    await world.load(workspace, accounts=f"account_id,name,contract_end\na,Acme,{sooner}\n")
    await world.follow()
    assert await world.engage.fetchval("select count(*) from wakeups") == 1
    second = await world.walk(traversal)
    assert isinstance(second, State)
    assert second.pending is not None
    assert second.pending.until < first.pending.until
    assert second.pending.until.date() == sooner - timedelta(days=10)
    assert f"{second.pending.until:%H:%M}" == "09:00"


async def test_a_send_goes_on_with_what_follows_but_leaves_a_listen_to_the_next_stretch(
    world: World,
) -> None:
    workspace = world.workspace(
        """
journey: on
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}, {update_account: {field: city, value: Oslo}}], next: ears}
  ears: {listen: [{form_filled: {}}], end: heard}
""",
        ("hi",),
    )
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )
    [traversal] = await world.enter(await world.publish(workspace, "on"))
    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    sent = await world.send(traversal, go_on=True)
    assert [(o.command.node, o.command.kind) for o in sent.outcomes] == [
        ("mail", "send"),
        ("mail", "store"),
    ]
    armed = await stretch.run(
        world.engage, world.plans, traversal, (await world.state(traversal)).step_no, world.now
    )
    assert [o.command.kind for o in armed.outcomes] == ["listen"]


async def test_since_a_node_begins_with_this_arrival_there(world: World) -> None:
    workspace = world.workspace(
        """
journey: since
audience: everyone
schedule: {end: 30 days}
start: rest
nodes:
  rest: {wait: 1 day, next: fork}
  fork:
    split: accounts
    paths:
      - {label: after, when: {did: {event: page_visited, since: fork}}, end: late}
      - {label: before, when: {did: {event: page_visited, since: rest}}, next: fork2}
    otherwise: rest
  fork2: {split: accounts, paths: [{when: {did: {event: page_visited, since: fork}}, end: late}]}
"""
    )
    await world.load(workspace, **DATA)
    [traversal] = await world.enter(await world.publish(workspace, "since"))
    await world.walk(traversal)
    await world.happen("page_visited", person="p1")
    world.pass_time(days=1)
    state = await world.walk(traversal)
    assert state.ended is not None
    # the visit to the page lies before the arrival at the fork
    assert state.ended.reason == "no-path"
