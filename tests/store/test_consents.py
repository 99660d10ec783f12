"""What people say about being written to: kept each time it changes, with who told us and when it was said."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from caravan.campaigns import consents
from tests.commands import Cli
from tests.world import World

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail:
    do:
      - update_person: {field: email_consent, value: true, who: {person: {first_name: Ada}}}
      - send_email: {template: hi}
    next: rest
  rest: {wait: 3 days, next: again}
  again: {do: [{send_email: {template: hi}}], end: sent}
"""
ACCOUNTS = "account_id,name\na,Acme\n"
PEOPLE = """person_id,email,first_name,email_consent,sms_consent,unsubscribed,account_id
p1,p1@a.example,Ada,,y,,a
p2,p2@a.example,Bo,n,,,a
p3,p3@a.example,Cy,,,,a
"""


@pytest.fixture
async def traversal(world: World) -> int:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    [traversal] = await world.enter(await world.publish(workspace, "post"))
    return traversal


async def said(world: World, person: str) -> list[tuple[Any, ...]]:
    rows = await world.engage.fetch(
        "select c.* from consents c join people p on p.id = c.person_id where p.external_id = $1 order by c.id",
        person,
    )
    return [(row["field"], row["old"], row["new"], row["source"], row["at"]) for row in rows]


async def test_history_tells_who_said_it_and_when(world: World, traversal: int) -> None:
    brought = world.now
    assert await said(world, "p3") == []
    assert await said(world, "p2") == [("email_consent", None, False, "platform", brought)]
    world.pass_time(hours=1)
    written = world.now
    await world.walk(traversal)
    assert await said(world, "p1") == [
        ("sms_consent", None, True, "platform", brought),
        ("email_consent", None, True, "journey post/mail", written),
    ]
    world.pass_time(hours=1)
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace, people=PEOPLE.replace("p2,p2@a.example,Bo,n", "p2,p2@a.example,Bo,")
    )
    await world.follow()
    assert (await said(world, "p2"))[1:] == [("email_consent", False, None, "platform", world.now)]
    await world.follow()
    await world.load(
        workspace, people=PEOPLE.replace("p2,p2@a.example,Bo,n", "p2,p2@a.example,Bob,")
    )
    await world.follow()
    assert len(await said(world, "p2")) == 2  # what did not change is no news


async def test_saying_it_writes_the_field_tells_the_platform_and_is_heard(
    world: World, traversal: int
) -> None:
    person = await world.engage.fetchval("select id from people where external_id = 'p2'")
    at = datetime.now(UTC)
    for expected in ({person: ["email_consent"]}, {}):
        async with world.engage.acquire() as conn, conn.transaction():
            changed = await consents.set_fields(
                conn, world.plans, [person], {"email_consent": True}, source="form 7", at=at
            )
        assert changed == expected
    assert (await said(world, "p2"))[-1] == ("email_consent", False, True, "form 7", at)
    [change] = await world.engage.fetch("select fields, as_of from changes where entity = 'person'")
    assert (change["fields"], change["as_of"]) == ({"email_consent": True}, at)
    [heard] = await world.engage.fetch(
        "select fields from activities where type = 'person_changed'"
    )
    assert heard["fields"] == {"field": "email_consent", "from": False, "to": True}


async def test_consent_by_hand_counts_from_the_next_message_on(
    world: World, traversal: int
) -> None:
    cli = Cli(world)
    await cli.say("consent", "set", "p3", "--channel", "email", "--no", "--source", "a call")
    told = await cli.say(
        "consent", "set", "p2@A.example", "--channel", "email", "--yes", "--source", "a form"
    )
    assert told == "p2: email yes (email_consent)\n"
    again = await cli.say(
        "consent", "set", "p2", "--channel", "email", "--yes", "--source", "a form"
    )
    assert again == "p2: email yes: it was so already\n"
    await world.walk(traversal)
    assert {recipient for _, recipient in world.mailed()} == {"p1@a.example", "p2@a.example"}
    shown = await cli.json("person", "show", "p3")
    [one] = shown["consents"]
    assert (one["field"], one["old"], one["new"], one["source"]) == (
        "email_consent",
        None,
        False,
        "a call",
    )
    assert "a call" in await cli.say("person", "show", "p3")
    await cli.refuse(2, "consent", "set", "nobody", "--channel", "sms", "--yes", "--source", "x")
    await cli.refuse(2, "consent", "set", "p3", "--channel", "sms", "--yes", "--source", " ")


async def test_yes_to_mail_takes_back_an_unsubscribe(world: World, traversal: int) -> None:
    await world.engage.execute(
        """update people set attributes = attributes || '{"unsubscribed": true}' where external_id = 'p1'"""
    )
    told = await Cli(world).say(
        "consent", "set", "p1", "--channel", "email", "--yes", "--source", "x"
    )
    assert told == "p1: email yes (email_consent, unsubscribed)\n"
    await world.walk(traversal)
    assert "p1@a.example" in [recipient for _, recipient in world.mailed()]


async def test_suppressions_by_hand_and_as_files(world: World, traversal: int) -> None:
    cli = Cli(world)
    await cli.say("suppression", "add", "P1@a.example", "rival.example", "--why", "asked by sales")
    again = await cli.say("suppression", "add", "p1@A.example", "--why", "twice")
    assert again == "0 subjects suppressed, 1 were already\n"
    rows = await cli.json("suppressions")
    assert {(row["subject"], row["reason"], row["why"], row["source"]) for row in rows} == {
        ("p1@a.example", "blocked", "asked by sales", "by hand"),
        ("rival.example", "blocked", "asked by sales", "by hand"),
    }
    await world.walk(traversal)
    assert "p1@a.example" not in [recipient for _, recipient in world.mailed()]
    shown = await cli.json("person", "show", "p1")
    assert [row["subject"] for row in shown["suppressions"]] == ["p1@a.example"]
    out = world.folder / "list.csv"
    await cli.say("suppression", "export", "--out", str(out))
    assert out.read_text().splitlines()[0] == "subject,reason,why,source,added_at"
    await cli.say("suppression", "remove", "p1@a.example", "rival.example", "--why", "a mistake")
    assert await cli.json("suppressions") == []
    assert {row["why"] for row in await cli.json("suppressions", "--removed")} == {"a mistake"}
    told = await cli.json("suppression", "import", str(out), "--dry-run")
    assert told["files"][0] == {
        "file": "list.csv",
        "new": 2,
        "unchanged": 0,
        "bad": 0,
        "dry_run": True,
    }
    assert await cli.json("suppressions") == []
    await cli.say("suppression", "import", str(out))
    back = await cli.json("suppressions")
    assert sorted(back, key=str) == sorted(rows, key=str)  # as they were, with reason, why and time
    told = await cli.json("suppression", "import", str(out))
    assert (told["files"][0]["new"], told["files"][0]["unchanged"]) == (0, 2)
    await cli.refuse(2, "suppression", "add", "no subject", "--why", "x")
    assert "not on the list: x@y.example" in await cli.refuse(
        2, "suppression", "remove", "x@y.example", "--why", "x"
    )


async def test_lists_from_elsewhere_load_but_for_their_bad_rows(
    world: World, traversal: int
) -> None:
    cli = Cli(world)
    bare = world.write("bare.txt", "one@x.example\n\n@y.example\nnot one\n")
    ended = await cli.run("suppression", "import", str(bare), "--format", "json")
    assert ended.returncode == 2
    told = json.loads(ended.stdout)
    assert told["problems"] == [
        {
            "file": "bare.txt",
            "line": 4,
            "reason": "'not one' is no e-mail address, domain or telephone number (+46701234567)",
            "severity": "error",
        }
    ]
    named = world.folder / "named.csv"
    named.write_bytes(
        b"name,Email,reason,added_at\nAda,ada@z.example,opt_out,2020-01-01\n"
        b"Bo,bo@z.example,because,\nCy,c\xff@z.example,,\nDi,di@z.example,,soon\nEd,one@x.example,opt_out,\n"
    )
    ended = await cli.run("suppression", "import", str(named), "--format", "json")
    told = json.loads(ended.stdout)
    assert [row["line"] for row in told["problems"]] == [3, 4, 5]
    # what is blocked by hand is made no lighter by an opt-out
    assert {row["subject"]: row["reason"] for row in await cli.json("suppressions")} == {
        "one@x.example": "blocked",
        "y.example": "blocked",
        "ada@z.example": "opt_out",
    }
    wide = world.write("wide.csv", "a,b\nx@y.example,1\n")
    ended = await cli.run("suppression", "import", str(wide))
    assert "nothing is loaded" in ended.stderr
    assert ended.returncode == 2
