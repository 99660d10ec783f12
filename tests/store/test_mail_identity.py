"""What a mail says of itself and where it may go: headers, signature, return path, ALLOW_RECIPIENTS."""

from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from caravan.delivery.allowed_recipients import AllowedRecipients
from caravan.delivery.identity_headers import identity_headers
from caravan.delivery.return_path import Returned, ReturnPath
from caravan.delivery.transport import Outgoing
from caravan.journeys.plan import SenderDocument
from tests.relay import Relay
from tests.world import World

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}, {send_email: {template: bill}}], end: sent}
"""
BILL = """---
email: bill
subject: Your bill
operational: true
---
<html><body><p>Here it is</p></body></html>
"""
PEOPLE = "person_id,email,unsubscribed,account_id\n" + "".join(
    f"{person},a\n"
    for person in (
        "in,Ann@US.example,",
        "sub,bob@sub.us.example,",
        "out,eve@x.example,true",
        "one,person@x.example,",
        "none,,",
        "odd,no address,",
    )
)
SECRET = "s" * 32


async def arrive(world: World) -> int:
    world.write("emails/bill.html", BILL)
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=PEOPLE)
    [traversal] = await world.enter(await world.publish(workspace, "post"))
    return traversal


async def walk(world: World, monkeypatch: pytest.MonkeyPatch, **said: object) -> None:
    traversal = await arrive(world)
    mailing = replace(world.mailing, **said)  # type: ignore[arg-type]
    monkeypatch.setattr(type(world), "mailing", mailing)
    await world.walk(traversal)


def sent(world: World) -> dict[tuple[str, str], tuple[Outgoing, EmailMessage]]:
    """By recipient and subject."""
    told = {}
    for message in world.transport.messages:
        parsed = message_from_bytes(message.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        told[message.recipient, parsed["Subject"]] = message, parsed
    return told


async def skipped(world: World) -> dict[tuple[str, str], str]:
    rows = await world.engage.fetch(
        "select p.external_id, l.template, l.reason from ledger l join people p on p.id = l.person_id"
        " where l.state = 'skipped'"
    )
    return {(row["external_id"], row["template"]): row["reason"] for row in rows}


async def test_on_trial_everybody_else_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = AllowedRecipients.parse("@us.example, person@x.example")
    await walk(world, monkeypatch, allowed=allowed)
    assert {recipient for recipient, _ in sent(world)} == {"Ann@US.example", "person@x.example"}
    why = await skipped(world)
    for template in (
        "hi",
        "bill",
    ):  # also of operational mail, and whatever else speaks against them
        assert {person: why[person, template] for person, mail in why if mail == template} == {
            "sub": "not-allowed-recipient",
            "out": "not-allowed-recipient",
            "odd": "invalid-address",
        } | ({"none": "no-address"} if ("none", template) in why else {})


async def test_headers_say_what_a_mail_is_part_of_and_name_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await walk(world, monkeypatch)
    mails = sent(world)
    [hi] = [
        mail for (to, subject), (_, mail) in mails.items() if to[0] == "A" and "Hello" in subject
    ]
    [bill] = [
        mail for (to, subject), (_, mail) in mails.items() if to[0] == "A" and "bill" in subject
    ]
    munchkin = world.munchkin
    assert hi["List-ID"] == f"<{munchkin}.us.example>"
    assert hi["Feedback-ID"] == f"post:hi:marketing:{munchkin}"
    assert hi["List-Unsubscribe"] is not None
    assert (hi["Auto-Submitted"], hi["Precedence"]) == (None, None)
    assert bill["Feedback-ID"] == f"post:bill:operational:{munchkin}"
    assert bill["Auto-Submitted"] == "auto-generated"
    assert [name for name in bill if name.lower().startswith("list-")] == []


async def test_bounce_of_each_mail_would_tell_which(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ReturnPath("bounces.us.example", (SECRET,))
    await walk(world, monkeypatch, return_path=path)
    numbers = {
        row["message_id"]: row["id"]
        for row in await world.engage.fetch("select id, message_id from ledger")
    }
    messages = world.transport.messages
    assert messages
    for message in messages:
        returned = path.read(message.envelope_from, [world.munchkin])
        assert returned == Returned(world.munchkin, numbers[message.message_id])
        assert message_from_bytes(message.content)["From"].endswith("<us@us.example>")


async def test_without_the_setting_mail_returns_to_its_sender(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await walk(world, monkeypatch)
    assert {message.envelope_from for message in world.transport.messages} == {"us@us.example"}


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    new = Relay()
    await new.start()
    yield new
    await new.stop()


async def test_what_the_relay_gets_is_the_signed_message_and_the_return_path(
    world: World, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[bytes] = []

    def sign(content: bytes) -> bytes:
        signed.append(b"DKIM-Signature: x\r\n" + content)
        return signed[-1]

    await walk(
        world,
        monkeypatch,
        transport=relay.transport(),
        sign=sign,
        return_path=ReturnPath("bounces.us.example", (SECRET,)),
    )
    assert relay.contents
    assert sorted(relay.contents) == sorted(signed)  # each written once, when it was sent


@pytest.mark.parametrize(
    ("munchkin", "sender_id"), [("123-ABC-456", "123-abc-456"), ("eu", 13), ("a" * 40, 13)]
)
def test_sender_id_is_of_the_length_that_is_asked_for(munchkin: str, sender_id: str | int) -> None:
    told = dict(
        identity_headers(
            munchkin=munchkin,
            sender=SenderDocument(email="news@münchen.example"),
            journey="post",
            template="hi",
            operational=False,
        )
    )
    end = told["Feedback-ID"].rpartition(":")[2]
    assert end == sender_id or len(end) == sender_id
    assert told["List-ID"] == f"<{munchkin.lower()}.xn--mnchen-3ya.example>"
