"""Bounces and complaints: what follows from them, once each, by whichever way they come."""

import asyncio
import json
import mailbox
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from caravan.campaigns import bounces, mail_settling
from caravan.delivery.bounce_reports import read_report
from caravan.delivery.return_path import ReturnPath
from caravan.delivery.transport import Refused
from caravan.gateway.app import build_app
from tests.commands import Cli
from tests.imap import Imap
from tests.reports import arf, dsn
from tests.service import Listening
from tests.world import World

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], next: hear}
  hear:
    listen: [{email_bounced: {template: hi}}]
    timeout: {after: 9 days, end: fine}
    end: bounced
"""
KEY = "k" * 40


@pytest.fixture
async def sent(world: World) -> dict[str, str]:
    """Mail to two people of two accounts; their Message-IDs."""
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\nb,Bolt\n",
        people="person_id,email,account_id\nada,ada@acme.example,a\nbo,bo@bolt.example,b\n",
    )
    for traversal in await world.enter(await world.publish(workspace, "post")):
        await world.walk(traversal)
    return {
        message.recipient.partition("@")[0]: message.message_id
        for message in world.transport.messages
    }


async def take(world: World, content: bytes, **options: Any) -> list[str]:
    return [
        (
            await bounces.take(
                world.engage, world.plans, report, world.now, munchkin=world.munchkin, **options
            )
        ).result
        for report in read_report(content)
    ]


async def suppressed(world: World) -> dict[str, str]:
    rows = await world.engage.fetch("select subject, reason from suppressions")
    return {row["subject"]: row["reason"] for row in rows}


async def events(world: World) -> list[tuple[str, str, bool | None]]:
    rows = await world.engage.fetch(
        "select a.type, p.external_id, a.fields from activities a join people p on p.id = a.person_id"
        " where a.type in ('email_bounced', 'email_unsubscribed') order by a.id"
    )
    return [(row["type"], row["external_id"], row["fields"].get("soft")) for row in rows]


async def ended(world: World) -> dict[str, str | None]:
    rows = await world.engage.fetch(
        "select a.external_id, exists (select from wakeups w where w.traversal_id = t.id) as woken"
        " from traversals t join accounts a on a.id = t.account_id"
    )
    return {row["external_id"]: row["woken"] for row in rows}


async def test_hard_bounce_suppresses_the_address_and_is_heard(
    world: World, sent: dict[str, str]
) -> None:
    content = dsn(message_id=sent["ada"])
    assert await take(world, content) == ["suppressed"]
    assert await suppressed(world) == {"ada@acme.example": "hard_bounce"}
    assert await events(world) == [("email_bounced", "ada", False)]
    assert await ended(world) == {"a": True, "b": False}
    assert await take(world, b"Received: again\r\n" + content) == ["known"]
    assert len(await events(world)) == 1


async def test_soft_bounces_are_counted_and_suppress_nothing(
    world: World, sent: dict[str, str]
) -> None:
    for number in range(3):
        content = dsn(message_id=sent["bo"], status="5.2.2", diagnostic="", own=f"<{number}@x>")
        assert await take(world, content) == ["counted"]
    assert await suppressed(world) == {}
    assert await events(world) == [("email_bounced", "bo", True)] * 3
    rows = await Cli(world).json("bounces", "list", "--kind", "soft")
    assert [(row["person"], row["status"], row["of_kind"]) for row in rows] == [
        ("bo", "5.2.2", 3)
    ] * 3
    shown = await Cli(world).json("person", "show", "bo")
    assert [row["kind"] for row in shown["mail_reports"]] == ["soft"] * 3


async def test_complaint_suppresses_and_unsubscribes(world: World, sent: dict[str, str]) -> None:
    assert await take(world, arf(message_id=sent["ada"])) == ["unsubscribed"]
    assert await suppressed(world) == {"ada@acme.example": "complaint"}
    [person] = await world.engage.fetch("select * from people where external_id = 'ada'")
    assert person["attributes"]["unsubscribed"] is True
    [said] = await world.engage.fetch("select * from consents")
    assert (said["field"], said["new"]) == ("unsubscribed", True)
    assert said["source"] == f"complaint about {sent['ada']}"
    assert await events(world) == [("email_unsubscribed", "ada", None)]
    assert await world.engage.fetchval("select count(*) from changes where entity = 'person'") == 1


async def test_return_path_names_the_message_where_the_report_does_not(
    world: World, sent: dict[str, str]
) -> None:
    path = ReturnPath("return.us.example", [KEY])
    number = await world.engage.fetchval("select id from ledger where message_id = $1", sent["bo"])
    to = path.address(world.munchkin, number)
    bare = dsn(message_id="<elsewhere@x>", to=to)
    assert await take(world, bare) == ["elsewhere"]
    assert await take(world, bare, return_path=path) == ["suppressed"]
    # what the return path proves comes before what the report quotes
    quoting = dsn(message_id=sent["ada"], to=to, own="<2@x>")
    assert await take(world, quoting, return_path=path) == ["suppressed"]
    assert await suppressed(world) == {"bo@bolt.example": "hard_bounce"}
    forged = dsn(message_id="<elsewhere@x>", to=to.replace(to[10], "a" if to[10] != "a" else "b"))
    assert await take(world, forged, return_path=path) == ["elsewhere"]
    # a complaint's return path stands in the report
    complaint = arf(message_id="<elsewhere@x>", sender=to)
    assert await take(world, complaint, return_path=path) == ["unsubscribed"]


async def test_nothing_is_believed_of_another_address_than_the_mail_went_to(
    world: World, sent: dict[str, str]
) -> None:
    assert await take(world, dsn(message_id=sent["ada"], recipient="bo@bolt.example")) == [
        "suppressed"
    ]
    assert await suppressed(world) == {"ada@acme.example": "hard_bounce"}
    world.pass_time(hours=1)
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, people="person_id,email\nbo,new@bolt.example\n")
    await world.follow()
    # theirs is another address now, and which it went to is not known any more
    assert await take(world, dsn(message_id=sent["bo"], own="<2@x>")) == ["counted"]
    assert list(await suppressed(world)) == ["ada@acme.example"]


async def test_report_about_nobodys_mail_changes_nothing(
    world: World, sent: dict[str, str]
) -> None:
    assert await take(world, dsn()) == ["elsewhere"]
    assert await world.engage.fetchval("select count(*) from mail_reports") == 0


async def test_the_same_report_many_times_at_once_counts_once(
    world: World, sent: dict[str, str]
) -> None:
    content = dsn(message_id=sent["ada"])
    results = await asyncio.gather(*(take(world, content) for _ in range(10)))
    assert sorted(result for [result] in results) == ["known"] * 9 + ["suppressed"]
    assert len(await events(world)) == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("550 5.1.1 no such user", "hard_bounce"),
        ("550 5.2.1 disabled", "hard_bounce"),
        ("556 no mail here", "hard_bounce"),
        ("550 no such user", None),  # which is what a policy says too
        ("554 5.7.1 policy", None),
        ("552 5.2.2 full", None),
    ],
)
async def test_refusal_of_an_address_suppresses_it_with_the_verdict(
    world: World, reply: str, reason: str | None
) -> None:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\nada,Ada@acme.example,a\n",
    )

    class Refusing:
        def session(self) -> "Refusing":
            return self

        async def __aenter__(self) -> "Refusing":
            return self

        async def __aexit__(self, *_: object) -> None: ...

        async def send(self, message: Any, before_content: Any) -> Refused:
            return Refused(int(reply[:3]), reply)

    world.transport = Refusing()  # type: ignore[assignment]
    for traversal in await world.enter(await world.publish(workspace, "post")):
        await world.walk(traversal)
    assert [row["state"] for row in await world.ledger()] == ["refused"]
    assert await suppressed(world) == ({"ada@acme.example": reason} if reason else {})


async def test_verdict_that_settles_nothing_suppresses_nothing(
    world: World, sent: dict[str, str]
) -> None:
    settled = await mail_settling.settle(
        world.engage, sent["ada"], Refused(550, "550 5.1.1 late"), world.now
    )
    assert settled is None
    assert await suppressed(world) == {}


async def test_files_of_all_kinds_are_taken_in(
    world: World, sent: dict[str, str], tmp_path: Path
) -> None:
    single = tmp_path / "one.eml"
    single.write_bytes(dsn(message_id=sent["ada"]))
    box = mailbox.mbox(tmp_path / "reports.mbox")
    box.add(dsn(message_id=sent["bo"], status="4.2.2", diagnostic="", own="<1@x>"))
    box.add(b"Subject: away\n\nI am out\n")
    box.close()
    maildir = mailbox.Maildir(tmp_path / "Maildir")
    maildir.add(arf(message_id=sent["bo"]))
    maildir.add(dsn(message_id=sent["ada"]))
    ran = await Cli(world).run(
        "bounces", "import", *map(str, (single, tmp_path / "reports.mbox", tmp_path / "Maildir")),
        "--format", "json",
    )  # fmt: skip
    told = json.loads(ran.stdout)
    assert ran.returncode == 2
    assert sorted(row["result"] for row in told["reports"]) == [
        "counted", "known", "suppressed", "unsubscribed",
    ]  # fmt: skip
    assert [bad["file"].rpartition("#")[2] for bad in told["problems"]] == ["2"]
    ran = await Cli(world).run("bounces", "import", str(single))
    assert ran.stdout == "1 messages: 1 known, 0 were no reports\n"
    await Cli(world).refuse(2, "bounces", "import", str(tmp_path / "none.eml"))
    (tmp_path / "empty").mkdir()
    await Cli(world).refuse(2, "bounces", "import", str(tmp_path / "empty"))


async def test_mailbox_is_read_once_and_marked(world: World, sent: dict[str, str]) -> None:
    with Imap({"me@us.example": "secret"}) as imap:
        imap.deliver(dsn(message_id=sent["ada"]), b"Subject: away\r\n\r\nI am out\r\n")
        url = f"imap://me%40us.example@127.0.0.1:{imap.port}/Bounces"
        cli = Cli(world, BOUNCE_MAILBOX_PASSWORD="secret")
        told = await cli.json("bounces", "fetch", url)
        assert [row["result"] for row in told["reports"]] == ["suppressed"]
        assert len(told["problems"]) == 1
        told = await cli.json("bounces", "fetch", url)
        assert told == {"reports": [], "problems": []}
        imap.deliver(dsn(message_id=sent["bo"], status="4.2.2", diagnostic="", own="<9@x>"))
        told = await cli.json("bounces", "fetch", url)
        assert [row["result"] for row in told["reports"]] == ["counted"]
        refused = await Cli(world, BOUNCE_MAILBOX_PASSWORD="wrong").refuse(
            1, "bounces", "fetch", url
        )
        assert "wrong" not in refused.replace("wrong login", "")
    await cli.refuse(1, "bounces", "fetch", url)  # nobody listens any more
    await Cli(world).refuse(2, "bounces", "fetch", url)


@pytest.fixture
async def gateway(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listening]:
    monkeypatch.setattr("caravan.gateway.subscriptions.all_of", world.alone)
    new = Listening(build_app(world.stores, bounce_key=KEY))
    await new.start()
    yield new
    await new.stop()


async def test_gateway_takes_reports_from_who_shows_the_key(
    world: World, sent: dict[str, str], gateway: Listening
) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False, verify=False) as client:
        content = dsn(message_id=sent["ada"])
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"}):
            assert (
                await client.post("/bounces", content=content, headers=header)
            ).status_code == 401
        assert await suppressed(world) == {}
        shown = {"Authorization": f"Bearer {KEY}"}
        answers = [await client.post("/bounces", content=content, headers=shown) for _ in range(2)]
        assert [answer.json()["reports"][0]["result"] for answer in answers] == [
            "suppressed",
            "known",
        ]
        answer = await client.post("/bounces", content=dsn(), headers=shown)
        assert answer.json()["reports"] == [
            {"kind": "hard", "status": "5.1.1", "result": "elsewhere"}
        ]
        answer = await client.post("/bounces", content=b"Subject: away\r\n\r\nout", headers=shown)
        assert answer.status_code == 400
        answer = await client.post("/bounces", content=b"x" * 5_000_001, headers=shown)
        assert answer.status_code == 413
    assert await suppressed(world) == {"ada@acme.example": "hard_bounce"}


async def test_gateway_without_a_key_takes_nobodys(world: World) -> None:
    listening = Listening(build_app(world.stores))
    await listening.start()
    try:
        async with httpx.AsyncClient(
            base_url=listening.url, trust_env=False, verify=False
        ) as client:
            answer = await client.post(
                "/bounces", content=dsn(), headers={"Authorization": "Bearer x"}
            )
            assert answer.status_code == 401
    finally:
        await listening.stop()
