"""Lists, journeys that reach into each other, and campaigns on request, with real workers and the CLI."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deployed import Deployed

WORKSPACE = """
workspace: lists
subscription: {munchkin: lists-1, sandbox: lists-box}
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
when: {account: {name: {empty: false}}}
---
account_list: energy
type: dynamic
when: {account: {industry: Energy}}
---
account_list: handed
type: static
members: [nobody-yet]
---
campaign: invite
do: [{send_email: {template: hi}}]
---
journey: first
audience: everyone
schedule: {end: 30 days}
start: fork
nodes:
  fork:
    split: accounts
    paths: [{label: energy, when: {account_list: energy}, next: reach}]
    otherwise: rest
  reach:
    do:
      - add_to_account_list: {list: handed}
      - remove_from_journey: {journey: second}
      - request_campaign: {campaign: invite, who: {person: {job_title: Chief}}}
    end: reached
  rest: {wait: 20 days}
---
journey: second
audience: {list: energy}
schedule: {end: 30 days}
start: rest
nodes:
  rest: {wait: 20 days, next: never}
  never: {do: [{send_email: {template: hi}}]}
---
journey: third
audience: {list: handed}
schedule: {end: 30 days}
start: rest
nodes:
  rest: {wait: 20 days}
"""


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with tempfile.TemporaryDirectory(prefix="caravan lists ", ignore_cleanup_errors=True) as top:
        running = Deployed(Path(top), "lists-1", WORKSPACE)
        running.write("data/accounts.csv", "account_id,name,industry\na,Acme,\nb,Beta,Retail\n")
        running.write(
            "data/people.csv",
            "person_id,email,job_title,account_id\np1,1@a.example,Chief,a\np2,2@a.example,Clerk,a\n",
        )
        running.stack.start()
        running.stack.start_worker([])
        running.cli("apply", str(running.folder))
        yield running
        running.stack.discard()


async def test_lists_and_requests_move_accounts_and_people(deployed: Deployed) -> None:
    await deployed.until("select count(*) from traversals where slug = 'first'", 2)
    # an account that the list gets to know enters the journey of the list, from which the next one
    # that walks the first journey is removed
    deployed.write("data/accounts.csv", "account_id,name,industry\na,Acme,Energy\nc,Core,Energy\n")
    deployed.write(
        "data/people.csv", "person_id,email,job_title,account_id\np3,3@c.example,Chief,c\n"
    )
    deployed.cli("import", str(deployed.folder))
    await deployed.until("select count(*) from traversals where slug = 'second'", 1)
    await deployed.until(
        "select count(*) from traversals where slug = 'first' and label = 'reached'", 1
    )
    await deployed.until("select count(*) from traversals where slug = 'third'", 1)
    await deployed.until("select count(*) from ledger where state = 'accepted'", 1)
    [mailed] = deployed.json("mail")
    assert mailed["address"] == "3@c.example"
    assert mailed["journey"] == "campaign:invite"

    listed = {row["list"]: row for row in deployed.json("lists")}
    assert listed["energy"]["members"] == 2
    assert (listed["handed"]["members"], listed["handed"]["absent"]) == (1, 1)
    assert [row["journey"] for row in deployed.json("journeys")] == ["first", "second", "third"]


async def test_campaign_is_requested_by_hand_once_by_its_key(deployed: Deployed) -> None:
    assert deployed.json("campaign", "list") == [{"campaign": "invite", "actions": ["send_email"]}]
    before = await deployed.count("select count(*) from ledger where state = 'accepted'")
    asked = ["campaign", "request", "invite", "--account", "a", "--key", "spring"]
    assert deployed.json(*asked)["new"] is True
    assert deployed.json(*asked)["new"] is False
    await deployed.until("select count(*) from ledger where state = 'accepted'", before + 2)
    assert deployed.json("campaign", "request", "invite", "--person", "2@a.example")["people"] == 1
    await deployed.until("select count(*) from ledger where state = 'accepted'", before + 3)
    for arguments in (["first.reach", "--account", "a"], ["invit", "--account", "a"], ["invite"]):
        with pytest.raises(
            AssertionError, match=r"caravan: .*(own campaign|did you mean|For whom)"
        ):
            deployed.cli("campaign", "request", *arguments)
