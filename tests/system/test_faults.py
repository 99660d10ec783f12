"""Processes that die: worker, Temporal, Postgres killed while accounts travel; nothing lost or twice."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from caravan.stack.mail_server import captured
from caravan.stack.processes import start_time
from tests.deployed import Deployed

MUNCHKIN = "sys-1"
ACCOUNTS, PEOPLE = 30, 3

WORKSPACE = f"""
workspace: sys
subscription: {{munchkin: {MUNCHKIN}, sandbox: sys-box}}
sender: {{name: Us, email: us@us.example}}
postal_address: 1 Street
data: data/
---
audience: everyone
of: accounts
when: {{account: {{name: {{empty: false}}}}}}
---
journey: long
audience: everyone
schedule: {{end: 30 days}}
start: one
nodes:
  one:
    do: [{{send_email: {{template: hi}}}}, {{update_account: {{field: source_type, value: seen}}}}]
    next: pause
  pause: {{wait: 2 seconds, next: two}}
  two:
    do: [{{send_email: {{template: hi}}}}]
    next: pause2
  pause2: {{wait: 2 seconds, next: three}}
  three:
    do: [{{send_email: {{template: hi}}}}]
    end: over
---
journey: parked
audience: everyone
schedule: {{end: 30 days}}
start: rest
nodes:
  rest: {{wait: 20 days}}
"""


@pytest.fixture(scope="module")
def system() -> Iterator[Deployed]:
    with tempfile.TemporaryDirectory(prefix="caravan system ", ignore_cleanup_errors=True) as top:
        new = Deployed(Path(top), MUNCHKIN, WORKSPACE)
        new.write(
            "data/accounts.csv",
            "account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(ACCOUNTS)),
        )
        new.write(
            "data/people.csv",
            "person_id,email,account_id\n"
            + "".join(
                f"p{n}-{m},p{n}-{m}@a.example,a{n}\n"
                for n in range(ACCOUNTS)
                for m in range(PEOPLE)
            ),
        )
        new.stack.start()
        yield new
        new.stack.discard()


async def test_killed_processes_lose_nothing_and_send_nothing_twice(system: Deployed) -> None:
    """At whatever moment; tests/system/test_kill_points.py chooses the moments."""
    system.cli("apply", str(system.folder))
    accepted = "select count(*) from ledger where state = 'accepted'"
    system.stack.start_worker([])
    await system.until(accepted, 10)
    system.kill("worker")
    system.stack.start_worker([])
    await system.until(accepted, ACCOUNTS * PEOPLE + 20)
    system.kill("temporal")  # the worker finds it again where it was
    system.stack.start(["temporal"])
    await system.until("select count(*) from steps where node = 'two'", 5)
    system.kill("postgres")
    system.stack.start(["postgres"])
    await system.until(
        "select count(*) from traversals where slug = 'long' and ended_at is not null", ACCOUNTS, 90
    )

    exits = await system.rows(
        "select reason, label, count(*) from traversals where slug = 'long' group by 1, 2"
    )
    assert [tuple(row) for row in exits] == [("completed", "over", ACCOUNTS)]
    states = Counter({row["state"]: row["count"] for row in await system.rows("select state, count(*) from ledger where action = 'send_email' group by 1")})  # fmt: skip
    assert sum(states.values()) == ACCOUNTS * PEOPLE * 3
    assert set(states) <= {"accepted", "in_doubt"}
    # an account's messages go one by one: those of the worker and of Postgres leave at most one each
    assert states["in_doubt"] <= ACCOUNTS * 2
    arrived = Counter(message["message_id"] for message in captured(system.stack.mail_directory))
    assert [one for one, times in arrived.items() if times > 1] == []
    known = {
        row["message_id"]
        for row in await system.rows("select message_id from ledger where state = 'accepted'")
    }
    assert known <= set(arrived)


async def test_account_imported_while_live_enters_within_seconds(system: Deployed) -> None:
    newcomer = system.write("data/accounts.csv", "account_id,name\nnew,Newcomer\n")
    system.cli("import", str(newcomer))
    entered = "select count(*) from traversals t join accounts a on a.id = t.account_id where a.external_id = 'new' and t.started"
    await system.until(entered, 2, patience=10)


async def test_workflow_terminated_by_hand_leaves_no_account_blocked(system: Deployed) -> None:
    from temporalio.client import Client

    client = await Client.connect(system.stack.notes["temporal_address"])
    [row] = await system.rows(
        "select workflow_id from traversals where slug = 'parked' and ended_at is null limit 1"
    )
    await client.get_workflow_handle(row["workflow_id"]).terminate("by hand")
    await system.until(
        f"select count(*) from traversals where workflow_id = '{row['workflow_id']}' and reason = 'removed'",
        1,
        30,
    )


async def test_cli_shows_what_happened(system: Deployed) -> None:
    assert {row["journey"] for row in system.json("journeys")} == {"long", "parked"}
    assert system.json("campaigns") == []
    assert [row["nodes"] for row in system.json("campaigns", "--journey", "long")] == [
        ["one"],
        ["two"],
        ["three"],
    ]
    account = system.json("account", "show", "a1")
    steps = next(j for j in account["journeys"] if j["journey"] == "long")["steps"]
    assert steps[-1]["node"] == "three"
    person = system.json("person", "show", "p1-1@a.example")
    assert len(person["effects"]) == 3
    assert len(system.json("accounts", "--journey", "parked", "--node", "rest")) >= ACCOUNTS - 1
    assert "flowchart" in system.cli("journey", "show", "long", "--diagram")
    assert system.json("subscriptions")[0]["subscription"] == MUNCHKIN
    assert system.json("audiences")[0]["members"] == ACCOUNTS + 1
    assert system.json("mail", "--limit", "5")[0]["journey"] == "long"
    status = system.json("status")
    assert all(part["running"] for part in status["parts"])


async def test_changes_reach_the_platform(system: Deployed) -> None:
    for _ in range(50):
        status = system.json("status")["subscriptions"][0]
        if status["to_sync"] == 0 and status["synced"] >= ACCOUNTS:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(status)


async def test_worker_stops_when_asked(system: Deployed) -> None:
    pid = system.stack.notes["processes"]["worker"]["pid"]
    system.stack.stop(only="worker")
    assert start_time(pid) is None
