"""Versions as an operator meets them: plan, publish, roll back, change copy, check an upgrade."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployed import Deployed

WORKSPACE = """
workspace: versions
subscription: {munchkin: versions-1, sandbox: versions-box}
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
when: {account: {name: {empty: false}}}
---
journey: trip
audience: everyone
schedule: {end: 30 days}
start: fork
nodes:
  fork:
    split: accounts
    paths: [{label: Energy, when: {account: {industry: Energy}}, next: ears}]
    otherwise: pause
  pause: {wait: 20 days, next: hello}
  ears:
    listen: [{form_filled: {form: meeting}}]
    timeout: {after: 20 days, end: silent}
    end: met
  hello: {do: [{send_email: {template: hi}}], end: greeted}
"""
#: as read by another team: a shorter wait under another name, and no ears
EDITED = (
    WORKSPACE.replace("otherwise: pause", "otherwise: respite")
    .replace("pause: {wait: 20 days", "respite: {wait: 1 second")
    .replace(
        "listen: [{form_filled: {form: meeting}}]\n    timeout: {after: 20 days, end: silent}",
        "wait: 10 days",
    )
)
AT_REST = (
    "select count(*) from traversals where state -> 'pending' is not null and ended_at is null"
)


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    with tempfile.TemporaryDirectory(prefix="caravan versions ", ignore_cleanup_errors=True) as top:
        running = Deployed(Path(top), "versions-1", WORKSPACE)
        running.write(
            "data/accounts.csv",
            "account_id,name,industry\na,Acme,\nb,Beta,Retail\nc,Ceta,Energy\n",
        )
        running.write("data/people.csv", "person_id,email,account_id\np1,1@a.example,a\n")
        running.stack.start()
        running.stack.start_worker([])
        running.cli("apply", str(running.folder))
        yield running
        running.stack.discard()


@pytest.mark.timeout(240)  # a dozen processes of the command line
async def test_versions_by_their_commands(deployed: Deployed) -> None:
    await deployed.until(AT_REST, 3)
    deployed.write("ws.yaml", EDITED)

    # a plan, before anything happens
    folder, names = str(deployed.folder), ("--map", "pause=respite")
    told = deployed.json("journey", "plan", "trip", "--dir", folder, *names)
    nodes = {row["node"]: row for row in told["nodes"]}
    assert (told["from"], told["to"]) == (1, 2)
    assert {name: row["change"] for name, row in nodes.items()} == {
        "fork": "unchanged", "respite": "changed", "ears": "changed", "hello": "unchanged",
    }  # fmt: skip
    assert nodes["respite"]["was"] == "pause"
    assert nodes["respite"]["differences"] == [{"key": "wait", "old": "20 days", "new": "1 second"}]
    assert (nodes["respite"]["inside"], nodes["respite"]["migrate"]["go_on"]) == (2, 2)
    assert nodes["ears"]["migrate"]["stay"] == 1
    assert nodes["ears"]["migrate"]["why"] == ["ears is wait in the new version, listen in this"]
    assert await deployed.count("select count(*) from journeys") == 1

    # published: two move and leave their shortened wait at once, one stays and is listed
    deployed.cli("apply", folder, "--draft")
    published = deployed.json("journey", "publish", "trip", "--inside", "migrate", *names)
    assert published["inside"]["accounts"] == 3
    assert [(one["account"], one["node"]) for one in published["inside"]["staying"]] == [
        ("c", "ears")
    ]
    await deployed.until("select count(*) from traversals where label = 'greeted'", 2)
    account = deployed.cli("account", "show", "a")
    assert "moved to v2, was pause" in account
    assert "v2 · entry 1 · ended" in account

    # rolled back: the one who stayed moves again, to what it was
    said = deployed.cli("journey", "rollback", "trip", "--inside", "migrate")
    assert "trip v3 is published: it says what v1 said" in said
    await deployed.until(
        "select count(*) from traversals t join journeys j on j.id = t.journey_id"
        " where j.version = 3 and t.ended_at is null and t.state -> 'pending' is not null", 1,
    )  # fmt: skip

    # copy in the version that runs: those that nobody is in any more have been noted as finished
    await deployed.until("select count(*) from journeys where state = 'finished'", 2)
    text = (deployed.folder / "emails/hi.html").read_text()
    deployed.write("emails/hi.html", text.replace("hi for", "hello for"))
    assert deployed.json("email", "publish", "hi", folder, "--live") == [
        {"journey": "trip", "version": 3, "copy": 1, "change": "published"}
    ]

    # the code at hand goes on with what runs
    checked = {row["type"]: row for row in deployed.json("upgrade", "--check", "--sample", "5")}
    assert checked["AccountJourney"]["replayed"] == 1
    assert checked["Reconciler"]["replayed"] == 1
    assert not any(row["failures"] for row in checked.values())

    # over for good
    deployed.write("ws.yaml", WORKSPACE.replace("after: 20 days", "after: 9 days"))
    [applied] = deployed.json("apply", folder, "--no-data", "--inside", "exit")
    assert applied["inside"] == {"policy": "exit", "accounts": 1}
    await deployed.until("select count(*) from traversals where reason = 'removed'", 1)
