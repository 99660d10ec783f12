"""The two drivers of the core side by side: real workflows in skipped time, and the simulation.

The same workspace and data go through both. Paths, outcomes and effects must be equal, and instants
within five seconds, for a workflow begins when it is started and not when its account was admitted.
"""

import asyncio
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.askers import Askers
from activities.roles import build_workers
from caravan.ai_settings import AISettings
from caravan.journeys.compiler import compile_journey
from caravan.journeys.workspace import Workspace
from caravan.simulation.lines import read_line
from caravan.simulation.run import Asked, Ran
from caravan.simulation.throw_away import Pair
from caravan.simulation.told import simulate
from caravan.simulation.trace import TraceLine, read_lines
from tests.grouping import Grouping
from tests.running import Running
from tests.scripted_model import Asked as AskedModel
from tests.scripted_model import ScriptedModel
from workflows.contracts import Wake

NEAR = timedelta(seconds=5)

DATA = {
    "accounts": "account_id,name,annual_revenue,employees,industry,contract_end\n"
    "a,Acme,5000,10,Energy,2030-01-31\n"
    "b,Bolt,5,200,Utilities,\n"
    "c,Coil,700,40,Energy,2020-01-01\n",
    "people": "person_id,email,first_name,job_title,unsubscribed,account_id\n"
    "p1,p1@x.example,Pia,Chief of X,,a\n"
    "p2,p2@x.example,Pau,Engineer,true,a\n"
    "p3,p3@x.example,,Clerk,,b\n"
    "p4,not-an-address,Per,VP Sales,,b\n"
    "p5,p5@x.example,Pru,Engineer,,c\n",
    # nobody belongs to two: real workflows of the same instant would race for who writes first
    "relations": "account_id,person_id,roles\na,p2,advisor\nc,p5,buyer\n",
    "events": '{"id": "e1", "at": "2026-01-01T00:00:00Z", "type": "page_visited", "person_id": "p5"}\n',
}

WRITTEN = """
journey: trip
audience: everyone
zone: Europe/Stockholm
schedule: {end: 200 days, grace: 1 day}
start: hello
nodes:
  hello:
    do:
      - send_email: {template: hi}
      - update_account: {field: source_type, value: seen}
      - update_person: {field: seniority, value: "{{ person.job_title | default: 'none' }}"}
      - account_interesting_moment: {type: web, text: "{{ account.name }}"}
    next: fork
  fork:
    split: accounts
    paths:
      - {label: Big, when: {account: {annual_revenue: {at_least: 1000}}}, next: pause}
      - {label: Visited, when: {did: {event: page_visited}}, next: ears}
      - {label: Utility, when: {account: {industry: Utilities}}, next: people}
  pause: {wait: {for: 30 days, ends_on: {weekdays: [tue], at: "09:00"}}, next: people}
  ears:
    listen:
      - form_filled: {form: meeting, end: met}
      - account_interesting_moment: {type: web, next: people}
    look_back: 1 hour
    timeout: {after: 10 days, next: people}
  people:
    split: people
    paths:
      - {label: Chiefs, when: {person: {seniority: {starts_with: Chief}}}, do: [{send_email: {template: chief}}]}
      - {when: {role_in_account: buyer}, do: [{person_interesting_moment: {type: web, text: buyer}}]}
    otherwise: {do: [{send_email: {template: hi, who: {person: {first_name: {empty: false}}}}}]}
    next: contract
  contract: {wait: {until: {account: contract_end, plus: -3 months}}, next: again}
  again:
    split: accounts
    paths:
      - {when: {did: {event: email_sent, where: {template: chief}, since: people, people: 2}}, next: again_rest}
  again_rest: {wait: 2 weeks, end: over}
"""


async def both(
    running: Running, workspace: Workspace, data: dict[str, str]
) -> tuple[list[TraceLine], list[TraceLine]]:
    """The trace of real workflows, and that of the simulation."""
    world = running.world
    await world.load(workspace, **data)
    journey = await world.publish(workspace, "trip")
    await world.enter(journey)
    for handle in await running.start(journey):
        await handle.result()
    return await _real(running, workspace, journey), await _simulated(running, workspace)


async def _real(running: Running, workspace: Workspace, journey: int) -> list[TraceLine]:
    world = running.world
    pair = Pair(world.munchkin, world.engage, world.platform)
    compiled = compile_journey(workspace, "trip")
    # as it happened: two activities may differ by a second about what time it is
    return await read_lines(pair, Ran(compiled, journey, 1, world.now, world.now, 0))


async def _simulated(
    running: Running, workspace: Workspace, events: Sequence[str] = ()
) -> list[TraceLine]:
    world = running.world
    lines = [read_line(line, 1, "events", workspace.catalog) for line in events]
    asked = Asked(workspace, "trip", world.now, data=world.folder / "data", lines=lines)
    return list((await simulate(world.stores.platform_dsn, asked)).lines)


def agree(real: list[TraceLine], simulated: list[TraceLine]) -> None:
    """Equal in all but instants, which are near."""
    assert _by_account(real, without=("at", "until")) == _by_account(
        simulated, without=("at", "until")
    )
    for one, other in zip(_ordered(real), _ordered(simulated), strict=True):
        for key in ("at", "until"):
            if key in one.body:
                gap = _instant(one.body[key]) - _instant(other.body[key])
                assert abs(gap) <= NEAR, (one.body, other.body)


def _ordered(lines: list[TraceLine]) -> list[TraceLine]:
    return sorted(lines, key=lambda line: (line.account, line.body["entry"]))


def _by_account(lines: list[TraceLine], without: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in line.body.items() if key not in without}
        for line in _ordered(lines)
    ]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_journey_of_every_kind_of_node_goes_the_same_way(running: Running) -> None:
    workspace = running.world.workspace(WRITTEN, ("hi", "chief"))
    real, simulated = await both(running, workspace, DATA)
    agree(real, simulated)
    assert {line.body["node"] for line in real} >= {"hello", "fork", "pause", "ears", "people"}


async def test_an_event_heard_on_the_way_is_the_same(running: Running) -> None:
    world = running.world
    workspace = world.workspace(
        """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: ears
nodes:
  ears:
    listen: [{form_filled: {form: meeting, who: {person: {job_title: Clerk}}, next: rest}}]
    timeout: {after: 3 days, end: silent}
  rest: {wait: 2 days, end: met}
"""
    )
    await world.load(workspace, **DATA)
    journey = await world.publish(workspace, "trip")
    await world.enter(journey)
    with running.temporal.with_time_skipping_disabled():
        handles = await running.start(journey)
        while await _open_listeners(running) < len(handles):
            await asyncio.sleep(0.05)
        began, world.now = world.now, datetime.now(UTC)
        await world.happen("form_filled", person="p3", form="meeting")
        for handle in handles:
            await handle.signal("wake", Wake(reason="heard"))
    for handle in handles:
        await running.temporal.fast_forward(handle)
        await handle.result()
    heard_at, world.now = world.now, began
    event = f'{{"at": "{heard_at.isoformat()}", "type": "form_filled", "person_id": "p3", "form": "meeting"}}'
    real = await _real(running, workspace, journey)
    agree(real, await _simulated(running, workspace, [event]))
    labels = {line.account: line.body["label"] for line in real if "label" in line.body}
    assert labels == {"a": "silent", "b": "met", "c": "silent"}


GROUPS = """
roles_template: team
roles:
  - {role: chief, weight: vital, required: true, when: {person: {job_title: {starts_with: [Chief, VP]}}}}
  - {role: engineer, required: true, members_required: 2, when: {person: {job_title: Engineer}}}
  - {role: helper, when: {did: {event: page_visited}}}
  - {role: champion}
---
stage_model: sales
stages:
  - {stage: open, entry: true, to: [won]}
  - {stage: won, success: true}
---
solution_interest: grid
roles_template: team
stage_model: sales
qualified: {completeness: {at_least: 70}}
---
buying_groups: all
solution_interest: grid
audience: everyone
---
journey: trip
audience: everyone
schedule: {end: 60 days}
start: act
nodes:
  act:
    do:
      - update_buying_group_stage: {solution_interest: grid, stage: won}
      - update_buying_group_stage: {solution_interest: grid, stage: open}
      - update_buying_group_status: {solution_interest: grid, status: "of {{ account.name }}"}
      - assign_to_buying_group: {solution_interest: grid, role: champion, who: {person: {job_title: Clerk}}}
      - remove_from_buying_group: {solution_interest: grid, who: {role_in_account: buyer}}
    next: fork
  fork:
    split: accounts
    paths:
      - {label: Qualified, when: {buying_group: {solution_interest: grid, qualified: true}}, next: ears}
      - {label: Half, when: {buying_group: {solution_interest: grid, completeness: {between: [40, 69]}, stage: open}}, next: rest}
    otherwise: ears
  ears:
    listen:
      - added_to_buying_group: {solution_interest: grid, role: champion, next: rest}
      - buying_group_status_changed: {solution_interest: grid, to: of Coil, next: people}
    look_back: 1 hour
    timeout: {after: 2 days, next: people}
  rest: {wait: 3 days, next: people}
  people:
    split: people
    paths:
      - {label: In, when: {member_of: {solution_interest: grid, role: [chief, champion]}}, do: [{send_email: {template: hi}}]}
      - {label: Out, when: {member_of: {solution_interest: grid, removed: true}}, do: [{assign_to_buying_group: {solution_interest: grid, role: engineer}}]}
    next: won
  won: {do: [{update_buying_group_stage: {solution_interest: grid, stage: won}}], end: over}
"""


async def test_a_journey_of_a_buying_group_goes_the_same_way(running: Running) -> None:
    world = running.world
    workspace = world.workspace(GROUPS, ("hi",))
    await world.load(workspace, **DATA)
    journey = await world.publish(workspace, "trip")
    await Grouping(world).keep()
    await world.enter(journey)
    for handle in await running.start(journey):
        await handle.result()
    real = await _real(running, workspace, journey)
    simulated = await _simulated(running, workspace)
    agree(real, simulated)
    paths = {line.account: line.body["outcome"] for line in real if line.body["node"] == "fork"}
    assert paths == {"a": "Qualified", "b": "Half", "c": "otherwise"}
    reasons = {
        effect["reason"]
        for line in real
        for effect in line.body.get("effects", ())
        if "reason" in effect and "group" in effect["action"]
    }
    assert reasons == {"not-allowed-transition"}
    assert await simulated_twice(running, workspace) == [line.body for line in simulated]


async def simulated_twice(running: Running, workspace: Workspace) -> list[dict[str, Any]]:
    """The same arguments again."""
    return [line.body for line in await _simulated(running, workspace)]


DECIDED = """
journey: trip
audience: everyone
schedule: {end: 200 days}
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}], next: triage}
  triage:
    decide: accounts
    paths:
      - {label: Large, prompt: Many work there., next: mark}
      - {prompt: Few work there., next: pause}
    confidence: 0.5
    otherwise: people
    max_visits: {count: 3, end: enough}
  mark:
    do:
      - update_account: {field: source_type, value: seen}
      - send_email: {template: chief}
    next: pause
  pause: {wait: {for: 20 hours, ends_on: {weekdays: [mon, thu], at: "09:00"}}, next: triage}
  people:
    split: people
    paths: [{label: Clerks, when: {person: {job_title: Clerk}}, do: [{person_interesting_moment: {type: web, text: x}}]}]
    next: rest
  rest: {wait: 1 week, end: over}
"""


def by_size(asked: AskedModel) -> dict[str, Any]:
    """A model that goes by the number of employees, and is unsure of what has been sent much mail."""
    employees = asked.facts["account"]["employees"]
    mails = sum(one["last_90_days"] for one in asked.facts["events"] if one["type"] == "email_sent")
    unsure = employees == 40 and mails > 0
    return {
        "path": "Large" if employees >= 100 else "2",
        "confidence": 0.1 if unsure else 0.8,
        "reason": "person 1 said so",
    }


async def test_a_journey_that_a_model_decides_in_goes_the_same_way(
    running: Running, temporal: WorkflowEnvironment
) -> None:
    """The decisions of the real accounts, said as lines."""
    world = running.world
    workspace = world.workspace(DECIDED, ("hi", "chief"))
    model = ScriptedModel(by_size)
    [worker] = build_workers(
        temporal.client,
        world.stores,
        world.mailing,
        ("decisions",),
        askers=Askers(AISettings(), model.model),
        graceful=timedelta(seconds=1),
    )
    await world.load(workspace, **DATA)
    journey = await world.publish(workspace, "trip")
    await world.enter(journey)
    async with worker:
        for handle in await running.start(journey):
            await handle.result()
    real = await _real(running, workspace, journey)
    rows = await world.engage.fetch(
        "select a.external_id as account, d.decided_at, d.edge from decisions d"
        " join traversals t on t.id = d.traversal_id join accounts a on a.id = t.account_id order by d.id"
    )
    names = {"1": "Large"}
    lines = [
        json.dumps(
            {
                "at": row["decided_at"].isoformat(), "type": "decision", "account_id": row["account"],
                "node": "triage", "path": names.get(row["edge"], row["edge"]),
            }
        )
        for row in rows
    ]  # fmt: skip
    simulated = await _simulated(running, workspace, lines)
    assert {line.body["by"] for line in real if "by" in line.body} == {"model"}
    assert {line.body["by"] for line in simulated if "by" in line.body} == {"recorded"}
    for line in (*real, *simulated):
        line.body.pop("by", None)
    agree(real, simulated)
    taken = [line.body["outcome"] for line in real if line.body["kind"] == "decide"]
    assert (taken.count("Large"), taken.count("2"), taken.count("otherwise")) == (3, 3, 1)
    assert len(model.asked) == len(rows)


async def _open_listeners(running: Running) -> int:
    count: int = await running.world.engage.fetchval(
        "select count(*) from listeners where closed_at is null"
    )
    return count


@pytest.mark.parametrize("seed", range(4))
async def test_made_up_journeys_go_the_same_way(running: Running, seed: int) -> None:
    await _made_up(running, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4, 40))
async def test_many_made_up_journeys_go_the_same_way(running: Running, seed: int) -> None:
    await _made_up(running, seed)


async def _made_up(running: Running, seed: int) -> None:
    workspace = running.world.workspace(made_up(random.Random(seed)), ("hi", "chief"))
    agree(*await both(running, workspace, DATA))


CONDITIONS = (
    "{account: {annual_revenue: {at_least: 600}}}",
    "{account: {source_type: {empty: false}}}",
    "{person: {seniority: {starts_with: seen}}}",
    "{did: {event: email_sent, since: entry, people: 2}}",
    "{did_not: {event: account_interesting_moment, within: 20 days}}",
    "{people: {when: {person: {job_title: Engineer}}, at_least: 0, at_most: 0}}",
)
PEOPLE = (
    "{person: {job_title: {contains: e}}}",
    "{role_in_account: [buyer, advisor]}",
    "{did: {event: email_sent, where: {template: chief}}}",
    "{person: {seniority: {empty: true}}}",
)
ON_PEOPLE = (
    "{send_email: {template: hi}}",
    "{send_email: {template: chief, who: {person: {job_title: {contains: e}}}}}",
    "{update_person: {field: seniority, value: 'seen {{ person.first_name }}'}}",
    "{person_interesting_moment: {type: web, text: x}}",
)
ON_ACCOUNTS = (
    "{update_account: {field: source_type, value: seen}}",
    "{update_account: {field: employees, value: null}}",
    "{account_interesting_moment: {type: milestone, text: y}}",
)
WAITS = (
    "3 days",
    "{for: 20 hours, ends_on: {weekdays: [mon, fri], at: '02:30', zone: America/New_York}}",
    "{until: {account: contract_end, plus: -2 weeks}}",
    "{until: 2020-01-01T00:00:00Z}",
)
LISTENS = (
    "[{email_sent: {people: 2}}, {page_visited: {end: came}}]",
    "[{account_interesting_moment: {type: milestone}}]",
    "[{interesting_moment: {}}, {person_changed: {field: seniority}}]",
)


def made_up(chance: random.Random) -> str:
    """A valid journey: nodes that only lead on to later ones."""
    count = chance.randint(5, 8)

    def on(number: int) -> str:
        return f"n{chance.randint(number + 1, count)}"

    nodes = []
    for number in range(1, count):
        # every node is reached: the first way out of one is the next
        ways = [f"n{number + 1}", on(number), on(number)]
        match chance.choice(["do", "do", "accounts", "people", "wait", "listen"]):
            case "do":
                actions = chance.sample(ON_PEOPLE + ON_ACCOUNTS, chance.randint(1, 3))
                body = f"{{do: [{', '.join(actions)}], next: {ways[0]}}}"
            case "accounts":
                some = chance.sample(CONDITIONS, 2)
                chance.shuffle(ways)
                paths = ", ".join(
                    f"{{when: {when}, next: {to}}}" for when, to in zip(some, ways, strict=False)
                )
                body = f"{{split: accounts, paths: [{paths}], otherwise: {ways[2]}}}"
            case "people":
                paths = ", ".join(
                    f"{{label: L{at}, when: {when}, do: [{chance.choice(ON_PEOPLE)}]}}"
                    for at, when in enumerate(chance.sample(PEOPLE, 2))
                )
                body = f"{{split: people, paths: [{paths}], next: {ways[0]}}}"
            case "wait":
                body = f"{{wait: {chance.choice(WAITS)}, next: {ways[0]}}}"
            case _:
                body = (
                    f"{{listen: {chance.choice(LISTENS)}, look_back: 2 days,"
                    f" timeout: {{after: 4 days, next: {ways[1]}}}, next: {ways[0]}}}"
                )
        nodes.append(f"  n{number}: {body}")
    nodes.append(f"  n{count}: {{do: [], end: over}}")
    head = "journey: trip\naudience: everyone\nschedule: {end: 120 days}\nstart: n1\nnodes:\n"
    return head + "\n".join(nodes) + "\n"
