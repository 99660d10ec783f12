"""Rates: processes share what a relay bears, and who waits for a turn holds nobody and nothing up."""

import asyncio
from collections import Counter
from time import monotonic

import pytest

from caravan.campaigns import sending, stretch
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.served import Served
from caravan.campaigns.turns import NotYet, Turns
from caravan.delivery.rates import Rates
from caravan.delivery.transport import Outgoing
from caravan.engage import life_cycle
from tests.world import World

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], end: sent}
"""


def rates(text: str) -> Rates:
    read = Rates.parse(text)
    assert read is not None
    return read


def message(recipient: str = "a@x.example") -> Outgoing:
    content = b"From: us@us.example\r\n\r\n"
    return Outgoing("us@us.example", recipient, "<1@us.example>", lambda: content)


async def start(world: World, people: int) -> int:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\n"
        + "".join(f"p{n},p{n}@x.example,a\n" for n in range(people)),
    )
    [traversal] = await world.enter(await world.publish(workspace, "post"))
    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    return traversal


async def send(world: World, traversal: int, mailing: Mailing) -> Served:
    return await sending.send(
        world.engage,
        world.plans,
        mailing.for_store(world.engage),
        traversal_id=traversal,
        step_no=(await world.state(traversal)).step_no,
        claimant="try 1",
        now=lambda: world.now,
    )


async def states(world: World) -> Counter[str]:
    return Counter(row["state"] for row in await world.ledger())


async def test_processes_share_a_rate(world: World) -> None:
    """However many ask, and however they lease: never more than the rate, and about as much."""
    left: list[float] = []

    async def process() -> None:
        turns = Turns(world.engage, rates("all=40/s"))

        async def one() -> None:
            for _ in range(6):
                await turns.wait(message(), 30)
                left.append(monotonic())

        await asyncio.gather(*(one() for _ in range(4)))

    began = monotonic()
    await asyncio.gather(*(process() for _ in range(3)))
    assert len(left) == 72
    took = max(left) - began
    assert 71 / 40 <= took < 2 * 71 / 40
    # in no second more than the rate and what a bucket saves up
    left.sort()
    for number, at in enumerate(left):
        within = sum(at <= other < at + 1 for other in left[number:])
        assert within <= 40 + 40


async def test_domains_and_senders_have_buckets_of_their_own(world: World) -> None:
    turns = Turns(world.engage, rates("to:slow.example=1/h to:*=100/s all=100/s"))
    await turns.wait(message("a@slow.example"), 1)
    with pytest.raises(NotYet, match=r"to:slow\.example .*SEND_RATES.* 3[56]\d\d s"):
        await turns.wait(message("b@slow.example"), 1)
    for _ in range(5):
        await turns.wait(message("a@quick.example"), 1)


async def test_lease_of_a_process_that_died_is_over_by_itself(world: World) -> None:
    dead = Turns(world.engage, rates("all=20/s"))
    for _ in range(8):  # blocks of 1, 2, 4, 8 turns: some of the last it never takes
        await dead.wait(message(), 5)
    began = monotonic()
    await Turns(world.engage, rates("all=20/s")).wait(message(), 5)
    assert monotonic() - began < 1


async def test_turn_that_is_too_far_leaves_the_message_to_a_later_try(world: World) -> None:
    traversal = await start(world, people=3)
    with pytest.raises(NotYet) as raised:
        await send(world, traversal, Mailing(world.transport, rates=rates("to:x.example=1/h")))
    assert raised.value.retry_after.total_seconds() > 3000
    assert await states(world) == {"accepted": 1, "claimed": 2}
    sent = await send(world, traversal, Mailing(world.transport, rates=rates("all=100/s")))
    assert sent.ended is not None
    assert await states(world) == {"accepted": 3}
    assert len(world.transport.messages) == 3


async def test_pause_is_not_overtaken_by_who_waits_for_a_turn(world: World) -> None:
    traversal = await start(world, people=12)
    sending = asyncio.create_task(
        send(world, traversal, Mailing(world.transport, rates=rates("all=8/s")))
    )
    while len(world.transport.messages) < 2 and not sending.done():
        await asyncio.sleep(0.01)
    # nobody holds the traversal or the claims while they wait: this would wait for them
    async with asyncio.timeout(1):
        await life_cycle.pause(world.engage, "post", world.now)
    left = len(world.transport.messages)
    assert left < 6
    sent = await sending
    assert sent.held_until is not None
    assert len(world.transport.messages) == left


async def test_what_waits_long_for_its_turn_is_looked_at_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consent withdrawn while a large step waits counts."""
    monkeypatch.setattr("caravan.campaigns.turns.CLAIM_HOLDS", 0.3)
    traversal = await start(world, people=12)
    sending = asyncio.create_task(
        send(world, traversal, Mailing(world.transport, rates=rates("all=10/s")))
    )
    while len(world.transport.messages) < 1 and not sending.done():
        await asyncio.sleep(0.01)
    await world.engage.execute(
        "update people set attributes = attributes || '{\"unsubscribed\": true}'"
        " where id = (select max(id) from people)"
    )
    await sending
    assert await states(world) == {"accepted": 11, "skipped": 1}


async def test_texts_wait_for_their_turns_a_segment_each(world: World) -> None:
    text = JOURNEY.replace("{send_email: {template: hi}}", f"{{send_sms: {{text: {'x' * 200}}}}}")
    workspace = world.workspace(text)
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,mobile_phone,sms_consent,account_id\n"
        + "".join(f"p{n},p{n}@x.example,+4670123450{n},true,a\n" for n in range(3)),
    )
    [traversal] = await world.enter(await world.publish(workspace, "post"))
    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    mailing = Mailing(
        world.transport,
        texts=world.texts,
        texts_from="+15550100",
        rates=rates("all=1/h texts=100/s texts-from:+15550100=2/h"),
    )
    # one text of two segments is what the number bears in an hour
    with pytest.raises(NotYet, match=r"texts-from:\+15550100"):
        await send(world, traversal, mailing)
    assert await states(world) == {"accepted": 1, "claimed": 2}
