"""What the command line tells of deliveries: prove, why, deliveries and delivery resolve, on the embedded stack."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import caravan
from tests.deployed import Deployed

WORKSPACE = """
workspace: told
subscription: {munchkin: told-1, sandbox: told-box}
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
of: accounts
when: {account: {name: {empty: false}}}
---
journey: post
audience: everyone
schedule: {end: 30 days}
start: fork
nodes:
  fork:
    split: accounts
    paths: [{label: Large, when: {account: {employees: {at_least: 100}}}, next: mail}]
    otherwise: out
  mail:
    split: people
    paths:
      - label: Chiefs
        when: {person: {job_title: {starts_with: Chief}}}
        do: [{send_email: {template: hi, who: {person: {country: SE}}}}]
    end: over
  out: {wait: 1 day, end: small}
"""
ACCOUNTS = "account_id,name,employees\na,Acme,500\nb,Bolt,5\n"
PEOPLE = (
    "person_id,email,job_title,country,account_id\n"
    "p1,p1@a.example,Chief Cook,SE,a\np2,p2@a.example,Chief Clerk,SE,a\np3,p3@a.example,Clerk,SE,a\n"
)


@pytest.fixture(scope="module")
def system() -> Iterator[Deployed]:
    with tempfile.TemporaryDirectory(prefix="caravan told ", ignore_cleanup_errors=True) as top:
        new = Deployed(Path(top), "told-1", WORKSPACE)
        new.write("data/accounts.csv", ACCOUNTS)
        new.write("data/people.csv", PEOPLE)
        new.stack.start(["postgres", "temporal", "mail"])
        new.stack.start_worker([])
        new.cli("apply", str(new.folder))
        yield new
        new.stack.discard()


@pytest.fixture
async def mailed(system: Deployed) -> list[str]:
    """The Message-IDs of what was sent, of p1 and p2."""
    await system.until("select count(*) from traversals where ended_at is not null", 1)
    rows = await system.rows(
        "select l.message_id from ledger l join people p on p.id = l.person_id"
        " where l.action = 'send_email' and l.message_id is not null order by p.external_id"
    )
    return [row["message_id"] for row in rows]


async def test_prove_finds_the_captured_mail_and_each_difference(
    system: Deployed, mailed: list[str]
) -> None:
    told = system.json("prove")
    assert told["ledger"] == {"accepted": 2}
    assert told["log"] == str(system.stack.mail_directory)
    assert told["mail"]["taken"] == 2
    assert told["texts"] == {"accepted": 0, "of them delivered": 0, "of them not delivered": 0}
    assert told["histories"]["messages told"] == 2
    assert told["differences"] == []
    assert "none: ledger, messages and histories agree" in system.cli("prove", "--journey", "post")

    first, second = mailed
    log = system.write(
        "relay.jsonl", "".join(json.dumps({"message_id": one}) + "\n" for one in [first, first])
    )
    ended = caravan(
        "prove", "--log", str(log), "--format", "json", CARAVAN_HOME=str(system.stack.home)
    )
    assert ended.returncode == 1
    assert "2 differences" in ended.stderr
    assert json.loads(ended.stdout)["differences"] == [
        {"what": "accepted, not taken", "about": second, "told": ""},
        {"what": "taken more than once", "about": first, "told": "2 times"},
    ]


async def test_prove_sees_what_is_gone_from_the_ledger(system: Deployed, mailed: list[str]) -> None:
    conn = await system.connect()
    keep = await conn.fetch("delete from ledger where message_id = $1 returning *", mailed[1])
    try:
        ended = caravan("prove", CARAVAN_HOME=str(system.stack.home))
        assert ended.returncode == 1
        assert "step and ledger" in ended.stdout
        assert "2 counted, 1 in the ledger" in ended.stdout
    finally:
        row = dict(keep[0])
        columns = ", ".join(row)
        values = ", ".join(f"${n}" for n in range(1, len(row) + 1))
        await conn.execute(
            f"insert into ledger ({columns}) overriding system value values ({values})",
            *row.values(),
        )
        await conn.close()
    assert system.json("prove")["differences"] == []


async def test_log_that_is_none_is_refused(system: Deployed, mailed: list[str]) -> None:
    log = system.write("broken.jsonl", f'{{"message_id": "{mailed[0]}"}}\n\nhello\n')
    ended = caravan("prove", "--log", str(log), CARAVAN_HOME=str(system.stack.home))
    assert ended.returncode == 2
    assert "line 3" in ended.stderr


async def test_why_tells_journey_node_path_and_values(system: Deployed, mailed: list[str]) -> None:
    told = system.json("why", "--mail", mailed[0].strip("<>"))
    assert (told["journey"], told["version"], told["node"], told["path"]) == (
        "post",
        1,
        "mail",
        "Chiefs",
    )
    assert (told["person"], told["template"], told["state"]) == ("p1", "hi", "accepted")
    assert told["because"] == {"person.job_title": "Chief Cook"}
    assert told["who"] == {"person": {"country": "SE"}}
    assert told["steps"][0]["because"] == {"account.employees": 500}
    words = system.cli("why", "--mail", mailed[0])
    print(words)
    for phrase in (
        "by post v1, entry 1, node mail, path Chiefs",
        "because person's job_title is Chief Cook",
        "because account's employees is 500",
        "meant for: person country SE",
    ):
        assert phrase in words
    ended = caravan("why", "--mail", "nobody@us.example", CARAVAN_HOME=str(system.stack.home))
    assert ended.returncode == 2
    assert "caravan mail" in ended.stderr


async def test_doubt_is_listed_and_resolved_by_a_persons_word(
    system: Deployed, mailed: list[str]
) -> None:
    """The ledger is told that it does not know; the capture shows that nothing is sent twice unasked."""
    first, second = mailed
    conn = await system.connect()
    await conn.execute("update ledger set state = 'in_doubt' where message_id = any($1)", mailed)
    await conn.close()
    listed = system.json("deliveries", "--in-doubt")
    assert {row["message_id"] for row in listed} == set(mailed)
    told = system.json("prove")
    assert told["mail"]["of them in doubt"] == 2
    assert told["differences"] == []
    words = system.cli("deliveries")
    assert "caravan delivery resolve" in words

    assert "accepted" in system.cli("delivery", "resolve", first, "--sent", "--who", "Ann")
    said = system.json("delivery", "resolve", second.strip("<>"), "--not-sent", "--who", "Ann")
    assert (said["state"], said["said"], said["who"]) == ("refused", "not-sent", "Ann")
    assert system.json("deliveries", "--refused")[0]["reason"] == "not-sent"
    assert "Ann said sent" in system.cli("why", "--mail", first)
    again = caravan("delivery", "resolve", first, "--sent", CARAVAN_HOME=str(system.stack.home))
    assert again.returncode == 1
    assert "is accepted, not in doubt" in again.stderr
    vague = caravan("delivery", "resolve", first, "--resend", CARAVAN_HOME=str(system.stack.home))
    assert vague.returncode == 2


async def test_what_is_to_be_sent_again_goes_by_the_queue_with_the_same_id(
    system: Deployed, mailed: list[str]
) -> None:
    second = mailed[1]
    conn = await system.connect()
    await conn.execute("update ledger set state = 'in_doubt' where message_id = $1", second)
    await conn.close()
    system.cli("delivery", "resolve", second, "--not-sent", "--resend", "--who", "Bo")
    await system.until(
        f"select count(*) from ledger where message_id = '{second}' and state = 'accepted'", 1
    )
    told = system.json("prove")
    assert told["mail"]["taken"] == 3
    assert told["mail"]["sent again by a person's word"] == 1
    assert told["differences"] == []
