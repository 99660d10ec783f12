"""Sales alerts: what a salesperson is told of a buying group, to whom, and what the ledger keeps of it."""

from datetime import timedelta
from email import message_from_bytes
from email.policy import default as policy
from typing import Any

import pytest

from caravan.campaigns import bounces, mail_claims, stretch
from caravan.delivery.bounce_reports import read_report
from caravan.delivery.errors import RelayUnreachable
from caravan.engage import sql, suppressions
from tests.grouping import Grouping
from tests.relay import Relay
from tests.reports import arf, dsn
from tests.world import World

DOCUMENTS = """
roles_template: team
roles: [{role: chief, required: true, members_required: 2}, {role: user, required: true}, {role: champion}]
---
solution_interest: grid
roles_template: team
---
solution_interest: water
roles_template: team
---
journey: main
audience: everyone
schedule: {end: 90 days}
start: act
nodes:
  act:
    do:
      - account_interesting_moment: {type: milestone, text: "{{ account.name }} is ready"}
      - send_sales_alert: {solution_interest: grid, to: [ann@sales.example, ben@sales.example]ABOUT}
    end: told
"""
DATA = {
    "accounts": "account_id,name\na,Acme <& Co>\nb,Other\n",
    "people": "person_id,email,first_name,last_name,job_title,mobile_phone,phone,account_id\n"
    "p,p@a.example,Pia,<b>Ek</b>,Chief,+46701234567,,a\nq,q@a.example,Quy,,,,0812345,a\n"
    "r,r@a.example,,,Clerk,,,a\ns,s@a.example,Sam,,,,,a\nt,t@a.example,Tea,,,,,a\nu,u@a.example,Uno,,,,,a\n",
}


async def begin(world: World, *, group: bool = True, about: str = "") -> int:
    text = DOCUMENTS.replace("ABOUT", f", about: {about}" if about else "")
    workspace = world.workspace(text)
    await world.load(workspace, **DATA)
    journey = await world.publish(workspace, "main")
    grouping = Grouping(world)
    await grouping.store(workspace)
    traversal, *_ = await world.enter(journey)
    if group:
        number = await grouping.group("a")
        await grouping.assign(number, "chief", "manual", "p")
        await grouping.assign(number, "user", "manual", "q", "r", "s")
        await grouping.assign(number, "champion", "manual", "t")
        await grouping.assign(await grouping.group("a", "water"), "chief", "manual", "p")
        await score(world, p=70, q=80, s=70, t=1)
    return traversal


async def score(world: World, **scores: int) -> None:
    for person, value in scores.items():
        await world.engage.execute(
            "insert into engagement_people (person_id, score) select id, $2 from people where external_id = $1"
            " on conflict (person_id) do update set score = $2",
            person,
            value,
        )


def parts(world: World) -> tuple[Any, str, str]:
    """The first alert: the message, its text and its HTML."""
    message = message_from_bytes(world.transport.messages[0].content, policy=policy)
    text, html = (part.get_content() for part in message.iter_parts())
    return message, text, html


async def test_alert_tells_the_facts_of_the_group(world: World) -> None:
    traversal = await begin(world)
    world.pass_time(hours=-1)
    then = world.now.date().isoformat()
    await world.happen("form_filled", person="p", form="meeting")
    await world.happen("email_clicked", person="p", template="hi", bot=True)
    await world.happen("email_delivered", person="p", template="hi")
    await world.happen("page_visited", person="p", url="https://us.example/price")
    await world.happen("page_visited", person="p", url="https://us.example/why")
    await world.happen("interesting_moment", person="p", type="web", text="Asked for <prices>")
    world.pass_time(hours=1)
    state = await world.walk(traversal)
    assert state.ended is not None
    assert state.ended.label == "told"
    assert [one.recipient for one in world.transport.messages] == [
        "ann@sales.example",
        "ben@sales.example",
    ]
    message, text, html = parts(world)
    assert message["To"] == "ann@sales.example"
    assert message["List-Unsubscribe"] is None
    assert message["Subject"].startswith("Acme <& Co>: buying group grid")
    today = world.now.date().isoformat()
    lines = [line.strip() for line in text.splitlines()]
    for told in (
        "Acme <& Co> · grid",
        "Most engaged: Quy (80), Pia <b>Ek</b> (70), Sam (70)",
        "Required roles that are not filled: chief (1 of 2)",
        "KEY MOMENTS: 2 in 30 days",
        f"{today}, Acme <& Co>: Acme <& Co> is ready",
        f"{then}, Pia <b>Ek</b>: Asked for <prices>",
        "MEMBERS: 5",
        "Pia <b>Ek</b>, Chief",
        "chief, engagement 70",
        f"Last moment: {then}, Asked for <prices>",
        f"{then}: visited https://us.example/why",
        f"{then}: visited https://us.example/price",
        "Also in: water (chief)",
        "+46701234567",
        "0812345",
    ):
        assert told in lines, told
    assert "filled in" not in text  # two activities, the latest
    assert "clicked" not in text  # a bot's
    # four, by score and then by role; the fifth is counted
    members = ["Quy", "Pia <b>Ek</b>, Chief", "Sam", "Tea"]
    assert [lines.index(name) for name in members] == sorted(lines.index(name) for name in members)
    assert "r@a.example, Clerk" not in lines
    # what comes from data is text in the HTML too
    assert "<b>" not in html
    assert "&lt;b&gt;Ek&lt;/b&gt;" in html
    assert "Acme &lt;&amp; Co&gt;" in html


async def test_alert_is_about_whom_it_says(world: World) -> None:
    traversal = await begin(world, about="{person: {first_name: [Pia, Sam]}}")
    await world.happen("interesting_moment", person="q", type="web", text="Not to be told")
    await world.walk(traversal)
    _, text, _ = parts(world)
    assert "MEMBERS: 2" in text
    assert "Quy" not in text
    assert "Not to be told" not in text
    assert "KEY MOMENTS: 1" in text


async def test_old_moments_and_other_accounts_are_left_out(world: World) -> None:
    traversal = await begin(world)
    world.pass_time(days=-31)
    await world.happen("interesting_moment", person="p", type="web", text="Long ago")
    world.pass_time(days=30)
    await world.happen("account_interesting_moment", account="b", type="web", text="Elsewhere")
    world.pass_time(days=1)
    await world.walk(traversal)
    _, text, _ = parts(world)
    assert "KEY MOMENTS: 1 in 30 days" in text  # its own
    assert "Elsewhere" not in text
    day = (world.now - timedelta(days=31)).date().isoformat()
    assert f"Last moment: {day}, Long ago" in text


async def test_without_a_group_there_is_nothing_to_tell(world: World) -> None:
    traversal = await begin(world, group=False)
    assert (await world.walk(traversal)).ended is not None
    assert world.transport.messages == []
    rows = [row for row in await world.ledger() if row["action"] == "send_sales_alert"]
    assert [(row["person_id"], row["state"], row["reason"]) for row in rows] == [
        (-2, "skipped", "no-buying-group"),
        (-1, "skipped", "no-buying-group"),
    ]


async def test_each_address_has_its_row_and_is_tried_once(world: World) -> None:
    traversal = await begin(world)
    relay = Relay()
    await relay.start()
    try:
        relay.when("RCPT", "550 no such user", about="ben@")
        world.transport = relay.transport()  # type: ignore[assignment]
        await world.walk(traversal)
        assert [recipient for recipient, _ in relay.mails] == ["ann@sales.example"]
    finally:
        await relay.stop()
    rows = [row for row in await world.ledger() if row["action"] == "send_sales_alert"]
    assert [(row["person_id"], row["recipient"], row["state"]) for row in rows] == [
        (-2, "ben@sales.example", "refused"),
        (-1, "ann@sales.example", "accepted"),
    ]
    # nobody of the store was written to
    sent = await world.engage.fetchval("select count(*) from activities where type like 'email%'")
    assert sent == 0


async def test_a_try_after_one_that_died_claims_the_same_messages(world: World) -> None:
    traversal = await begin(world)
    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversal, 2, "dies", world.now
    )
    first = {row["message_id"] for row in await world.ledger() if row["message_id"]}
    await world.send(traversal, "another")
    assert {one.message_id for one in world.transport.messages} == first
    await world.send(traversal, "a third")
    assert len(world.transport.messages) == 2


async def test_suppressed_addresses_are_left_out_opted_out_ones_not(world: World) -> None:
    traversal = await begin(world)
    await suppressions.add(world.engage, ["sales.example"], "opt_out", source="test", at=world.now)
    await suppressions.add(
        world.engage, ["ben@sales.example"], "hard_bounce", source="test", at=world.now
    )
    await world.walk(traversal)
    assert [one.recipient for one in world.transport.messages] == ["ann@sales.example"]
    rows = {row["person_id"]: row["reason"] for row in await world.ledger()}
    assert rows[-2] == "invalid-address"


async def test_dead_address_is_suppressed_and_nobodys_record_told(world: World) -> None:
    """Refused at once, or bounced afterwards: the next alert does not go there."""
    traversal = await begin(world)
    relay = Relay()
    await relay.start()
    try:
        relay.when("RCPT", "550 5.1.1 no such user", about="ben@")
        world.transport = relay.transport()  # type: ignore[assignment]
        await world.walk(traversal)
    finally:
        await relay.stop()
    assert await suppressed(world) == {"ben@sales.example": "hard_bounce"}
    [ann] = [row for row in await world.ledger() if row["recipient"] == "ann@sales.example"]
    activities = await world.engage.fetchval("select count(*) from activities")
    for content, result in (
        (dsn(message_id=ann["message_id"], recipient="ann@sales.example"), "suppressed"),
        (arf(message_id=ann["message_id"]), "counted"),
    ):
        [report] = read_report(content)
        taken = await bounces.take(
            world.engage, world.plans, report, world.now, munchkin=world.munchkin
        )
        assert taken.result == result
    assert {*await suppressed(world)} == {"ann@sales.example", "ben@sales.example"}
    assert await world.engage.fetchval("select count(*) from activities") == activities
    listed = await sql.fetch(world.engage, "mail_reports", kind=None, person_id=None, limit=9)
    assert [(row["email"], row["of_kind"]) for row in listed] == [("ann@sales.example", 1)] * 2


async def suppressed(world: World) -> dict[str, str]:
    rows = await world.engage.fetch("select subject, reason from suppressions")
    return {row["subject"]: row["reason"] for row in rows}


async def test_the_account_waits_while_the_relay_is_away(world: World) -> None:
    traversal = await begin(world)
    relay = Relay()
    await relay.start()
    await relay.stop()
    world.transport = relay.transport()  # type: ignore[assignment]
    with pytest.raises(RelayUnreachable):
        await world.walk(traversal)
    assert (await world.state(traversal)).position == "act"
