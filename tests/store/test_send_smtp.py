"""Sends through a real relay that breaks at every place a relay can break.

Whatever happens: nobody gets a message twice, the ledger says what became of each, and why.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from caravan.campaigns import stretch
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.smtp import SmtpTransport
from caravan.engage import sql
from tests.relay import DROP, HANG, Relay
from tests.world import World

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], end: sent}
"""


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    new = Relay()
    await new.start()
    yield new
    await new.stop()


async def arrive(world: World, relay: Relay, people: int | str = 3, journey: str = JOURNEY) -> int:
    """An account with people p0, p1 … stands at its mail."""
    if isinstance(people, int):
        rows = "".join(f"p{n},p{n}@a.example,a\n" for n in range(people))
        people = f"person_id,email,account_id\n{rows}"
    own = (world.folder / "emails" / "hi.html").exists()
    workspace = world.workspace(journey, () if own else ("hi",))
    await world.load(workspace, accounts="account_id,name\na,Acme\n", people=people)
    [traversal] = await world.enter(await world.publish(workspace, "post"))
    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    world.transport = relay.transport()  # type: ignore[assignment]
    return traversal


async def shown(world: World) -> dict[str, tuple[str, str | None]]:
    """What `person show` tells of each person's mail: state, and reason or reply."""
    told = {}
    for person in await world.engage.fetch("select id, external_id from people"):
        for row in await sql.fetch(world.engage, "effects_of_person", person_id=person["id"]):
            told[person["external_id"]] = (row["state"], row["reason"] or row["reply"])
    return told


def nobody_twice(relay: Relay) -> bool:
    return all(n == 1 for n in Counter(relay.mails).values())


async def try_until_over(world: World, traversal: int, tries: int = 5) -> int:
    """Send as Temporal would, try after try; returns how many it took."""
    for number in range(1, tries + 1):
        try:
            sent = await world.send(traversal, f"try {number}")
        except RelayUnreachable:
            world.pass_time(minutes=1)
            continue
        assert sent.ended is not None
        assert sent.ended.label == "sent"
        return number
    raise AssertionError("the account never got through")


async def test_everything_well(world: World, relay: Relay) -> None:
    traversal = await arrive(world, relay)
    assert await try_until_over(world, traversal) == 1
    assert sorted(to for to, _ in relay.mails) == [f"p{n}@a.example" for n in range(3)]
    assert relay.connections == 1
    assert set((await shown(world)).values()) == {("accepted", "250 queued")}


#: what is wrong with the relay and not with one message
AWAY = [
    ("CONNECT", DROP),
    ("CONNECT", HANG),
    ("CONNECT", "421 too busy"),
    ("CONNECT", "554 no mail here"),
    ("CONNECT", "hello?"),
    ("EHLO", DROP),
    ("EHLO", "421 too busy"),
    ("MAIL", DROP),
    ("MAIL", HANG),
    ("MAIL", "451 4.3.0 try again"),
    ("MAIL", "421 4.3.0 shutting down"),
    ("MAIL", "530 5.7.0 authentication required"),
    ("MAIL", "503 5.5.1 bad sequence"),
    ("RCPT", DROP),
    ("RCPT", HANG),
    ("RCPT", "421 4.3.0 shutting down"),
    ("RCPT", "banana"),
    ("RCPT", "354 out of turn"),
    ("DATA", DROP),
    ("DATA", "421 4.3.0 shutting down"),
    ("DATA", "250 out of turn"),
]


async def test_relay_that_fails_before_the_dot_delays_and_loses_nothing(
    world: World, relay: Relay
) -> None:
    traversal = await arrive(world, relay)
    for number, (phase, reply) in enumerate(AWAY):
        relay.when(phase, reply)
        with pytest.raises(RelayUnreachable, match="SMTP_URL"):
            await world.send(traversal, f"away {number}")
        assert relay.behaves, (phase, reply)
        assert {state for state, _ in (await shown(world)).values()} == {"claimed"}
    assert relay.mails == []
    assert await try_until_over(world, traversal) == 1
    assert len(relay.mails) == 3
    assert nobody_twice(relay)


async def test_relay_that_fails_midway_goes_on_where_it_was(world: World, relay: Relay) -> None:
    """Every try gets one message through before the relay fails, each time in another way."""
    midway = [(phase, reply) for phase, reply in AWAY if phase in ("MAIL", "RCPT", "DATA")]
    traversal = await arrive(world, relay, len(midway) + 2)
    for number, (phase, reply) in enumerate(midway):
        relay.when(phase, "354 go on" if phase == "DATA" else "250 ok")
        # behind a message, who does not take the next is asked once more on a new connection
        relay.when(phase, reply, times=2 if phase == "MAIL" else 1)
        with pytest.raises(RelayUnreachable):
            await world.send(traversal, f"away {number}")
        assert len(relay.mails) == number + 1
    assert await try_until_over(world, traversal) == 1
    assert len(relay.mails) == len(midway) + 2
    assert nobody_twice(relay)
    assert set((await shown(world)).values()) == {("accepted", "250 queued")}


async def test_no_for_one_message_is_recorded_and_the_others_go(world: World, relay: Relay) -> None:
    noes = [
        ("RCPT", "550 5.1.1 no such user", "refused"),
        ("RCPT", "450 4.2.0 greylisted", "deferred"),
        ("DATA", "554 5.7.1 no", "refused"),
        ("DATA", "451 4.3.0 later", "deferred"),
        ("DOT", "554 5.7.1 spam", "refused"),
        ("DOT", "452 4.3.1 disk full", "deferred"),
        ("DOT", "421 4.3.0 shutting down", "deferred"),
    ]
    traversal = await arrive(world, relay, len(noes) + 2)
    for number, (phase, reply, _) in enumerate(noes):
        relay.when(phase, reply, about=f"p{number}@a.example")
    assert await try_until_over(world, traversal) == 1
    told = await shown(world)
    for number, (_, reply, state) in enumerate(noes):
        assert told[f"p{number}"] == (state, reply)
    assert len(relay.mails) == 2
    assert nobody_twice(relay)
    later = world.now + timedelta(minutes=15)
    for row in await world.ledger():
        assert row["until"] == (later if row["state"] == "deferred" else None)


async def test_sender_that_the_relay_does_not_take_refuses_the_message(
    world: World, relay: Relay
) -> None:
    traversal = await arrive(world, relay, 1)
    relay.when("MAIL", "553 5.7.1 not your address")
    assert await try_until_over(world, traversal) == 1
    assert await shown(world) == {"p0": ("refused", "553 5.7.1 not your address")}


async def test_silence_after_the_dot_is_in_doubt_and_never_sent_again(
    world: World, relay: Relay
) -> None:
    traversal = await arrive(world, relay, 5)
    for number, reply in enumerate((DROP, HANG, "hello?", "354 more")):
        relay.when("DOT", reply, about=f"p{number}@a.example")
    assert await try_until_over(world, traversal) == 1
    told = await shown(world)
    assert [told[f"p{n}"][0] for n in range(5)] == ["in_doubt"] * 4 + ["accepted"]
    assert all(why for _, why in told.values())
    assert relay.connections >= 4  # none was used again
    await world.send(traversal, "once more")
    assert len(relay.mails) == 3  # two in doubt were taken, two not: nobody here can know
    assert nobody_twice(relay)


async def test_dot_that_cannot_leave_is_not_in_doubt(world: World, relay: Relay) -> None:
    """The relay hangs up while the ledger says `handed_over`, before a byte of the message went."""
    traversal = await arrive(world, relay)
    relay.when("READY", DROP, about="p1@a.example")
    async with world.engage.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await conn.execute(
            "select 1 from ledger l join people p on p.id = l.person_id"
            " where p.external_id = 'p1' for update of l"
        )  # holds the hand-over up until the relay has gone
        sending = asyncio.create_task(world.send(traversal))
        await relay.until(lambda: relay.hung_up > 0)
        await transaction.rollback()
    with pytest.raises(RelayUnreachable, match="connection lost before the message"):
        await sending
    state, why = (await shown(world))["p1"]
    assert state == "claimed"
    assert why is not None
    assert "connection lost" in why
    assert await try_until_over(world, traversal) == 1
    assert len(relay.mails) == 3
    assert nobody_twice(relay)


async def test_relay_away_for_hours_delays_the_account(world: World, relay: Relay) -> None:
    traversal = await arrive(world, relay)
    await relay.stop()
    for number in range(5):
        with pytest.raises(RelayUnreachable, match=rf"127\.0\.0\.1:{relay.port}.*SMTP_URL"):
            await world.send(traversal, f"hour {number}")
        world.pass_time(hours=1)
    state, why = (await shown(world))["p0"]
    assert state == "claimed"
    assert why is not None
    assert "cannot be used" in why
    assert (await world.state(traversal)).ended is None
    await relay.start()
    assert await try_until_over(world, traversal) == 1
    assert len(relay.mails) == 3
    sent = await world.engage.fetchval("select min(at) from activities where type = 'email_sent'")
    assert sent == world.now


async def test_relay_away_until_the_journey_is_over_sends_nothing_late(
    world: World, relay: Relay
) -> None:
    traversal = await arrive(world, relay)
    relay.when("MAIL", "250 ok")
    relay.when("MAIL", "421 shutting down", times=2)
    with pytest.raises(RelayUnreachable):
        await world.send(traversal)
    world.pass_time(days=31)
    sent = await world.send(traversal, "much later")
    assert sent.ended is not None
    assert sent.ended.reason == "end-date"
    assert len(relay.mails) == 1
    told = Counter((await shown(world)).values())
    assert told == {("accepted", "250 queued"): 1, ("skipped", "journey-not-live"): 2}
    assert await world.engage.fetchval("select count(*) from activities") == 1


async def test_reply_of_any_bytes_is_kept_as_text(world: World, relay: Relay) -> None:
    traversal = await arrive(world, relay)
    relay.when("DOT", "250 2.0.0 \x00\udcff\x1b[31m queued " + "x" * 3000, times=None)
    await try_until_over(world, traversal)
    for state, why in (await shown(world)).values():
        assert state == "accepted"
        assert why is not None
        assert why.startswith("250 2.0.0 [31m queued xxx")
        assert len(why) < 600


async def test_addresses_that_a_relay_repeats_stay_out_of_the_failure(
    world: World, relay: Relay
) -> None:
    traversal = await arrive(world, relay)
    relay.when("RCPT", "421 4.7.0 <p0@a.example> p0@a.example: later")
    with pytest.raises(RelayUnreachable) as caught:
        await world.send(traversal)
    assert "a.example" not in str(caught.value)
    assert "421 4.7.0 <(address)>" in str(caught.value)


async def test_address_outside_ascii_needs_smtputf8(world: World, relay: Relay) -> None:
    people = "person_id,email,account_id\np0,åsa@a.example,a\np1,bo@a.example,a\n"
    traversal = await arrive(world, relay, people)
    await try_until_over(world, traversal)
    told = await shown(world)
    assert told["p0"][0] == "refused"
    assert "SMTPUTF8" in (told["p0"][1] or "")
    assert told["p1"][0] == "accepted"


async def test_address_outside_ascii_goes_by_smtputf8(world: World, relay: Relay) -> None:
    relay.extensions = ("8BITMIME", "SMTPUTF8")
    traversal = await arrive(world, relay, "person_id,email,account_id\np0,åsa@a.example,a\n")
    await try_until_over(world, traversal)
    assert [to for to, _ in relay.mails] == ["åsa@a.example"]
    assert "To: åsa@a.example\r\n".encode() in relay.contents[0]


async def test_lines_of_dots_arrive_as_they_were(world: World, relay: Relay) -> None:
    people = 'person_id,email,first_name,account_id\np0,p0@a.example,"a\n.\n..b",a\n'
    world.write(
        "emails/hi.html", "---\nemail: hi\nsubject: s\n---\n.\n{{ person.first_name }}\n.\n"
    )
    traversal = await arrive(world, relay, people)
    await try_until_over(world, traversal)
    assert b"\r\n.\r\na\r\n.\r\n..b\r\n.\r\n" in relay.contents[0]


async def test_data_one_mail_cannot_be_made_of_skips_that_person(
    world: World, relay: Relay
) -> None:
    world.write(
        "emails/hi.html",
        "---\nemail: hi\nsubject: s\nfrom: '{{ person.seniority }}'\n---\nhello\n",
    )
    people = (
        "person_id,email,seniority,account_id\n"
        "p0,p0@a.example,not an address,a\np1,p1@a.example,bo@us.example,a\n"
    )
    traversal = await arrive(world, relay, people)
    assert await try_until_over(world, traversal) == 1
    told = await shown(world)
    assert told["p0"] == ("skipped", "bad-value")
    assert told["p1"][0] == "accepted"
    [reply] = [row["reply"] for row in await world.ledger() if row["state"] == "skipped"]
    assert reply == "hi: from is no mail address: not an address"


async def test_consent_withdrawn_counts_where_who_leaves_the_person_out(
    world: World, relay: Relay
) -> None:
    """`who: not unsubscribed` no longer names who has just unsubscribed; the claim must not go."""
    journey = JOURNEY.replace(
        "{template: hi}", "{template: hi, who: {person: {unsubscribed: {is_not: true}}}}"
    )
    traversal = await arrive(world, relay, journey=journey)
    relay.when("CONNECT", DROP)
    with pytest.raises(RelayUnreachable):
        await world.send(traversal)
    await world.engage.execute(
        """update people set attributes = attributes || '{"unsubscribed": true}'"""
    )
    assert await try_until_over(world, traversal) == 1
    assert relay.mails == []
    assert set((await shown(world)).values()) == {("skipped", "unsubscribed")}


async def test_try_that_died_in_hand_is_in_doubt_at_the_end_of_the_next(
    world: World, relay: Relay
) -> None:
    traversal = await arrive(world, relay)
    relay.when("DOT", HANG, about="p1@a.example")
    slow = SmtpTransport(f"smtp://127.0.0.1:{relay.port}", timeout=5, final_timeout=60)
    world.transport = slow  # type: ignore[assignment]
    sending = asyncio.create_task(world.send(traversal, "killed"))
    await relay.until(lambda: len(relay.mails) == 2)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await world.send(traversal, "next")
    assert (await shown(world))["p1"][0] == "in_doubt"
    assert len(relay.mails) == 3
    assert nobody_twice(relay)


async def test_relay_that_hangs_up_behind_each_message_is_called_again(
    world: World, relay: Relay
) -> None:
    """Some take so many messages of a connection: that is no outage."""
    traversal = await arrive(world, relay, 3)
    for _ in range(2):
        relay.when("MAIL", "250 ok")
        relay.when("MAIL", DROP)
    await world.send(traversal)
    assert len(relay.mails) == len({identity for _, identity in relay.mails}) == 3
    assert relay.connections == 3
