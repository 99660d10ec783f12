"""The ledger: what a process that dies anywhere, runs twice or comes late does to a message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from activities.reconciler import ReconcilerActivities
from caravan.campaigns import mail_claims, mail_hand_over
from caravan.campaigns.served import Served
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.transport import Accepted, BeforeContent, InDoubt, Outgoing, Refused, Verdict
from caravan.engage import sql
from tests.world import World

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], end: sent}
"""


async def start(world: World, people: int = 3) -> int:
    workspace = world.workspace(JOURNEY, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\n"
        + "".join(f"p{n},p{n}@a.example,a\n" for n in range(people)),
    )
    [traversal] = await world.enter(await world.publish(workspace, "post"))
    return traversal


async def arrive(world: World, traversal: int) -> None:
    from caravan.campaigns import stretch

    await stretch.run(world.engage, world.plans, traversal, 1, world.now)


class Breaking:
    """A transport that dies at a chosen message, before or after the dot."""

    def __init__(self, at: int, when: str) -> None:
        self.at, self.when, self.count = at, when, 0
        self.accepted: list[str] = []

    def session(self) -> "Breaking":
        return self

    async def __aenter__(self) -> "Breaking":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        self.count += 1
        if self.count == self.at and self.when == "before":
            raise RelayUnreachable("gone")
        await before_content()
        if self.count == self.at and self.when == "killed":
            raise asyncio.CancelledError
        if self.count == self.at and self.when == "doubt":
            return InDoubt("silence")
        if self.count == self.at and self.when == "refused":
            return Refused(550, "no such user")
        self.accepted.append(message.recipient)
        from caravan.delivery.transport import Accepted

        return Accepted("250")


async def states(world: World) -> list[str]:
    return sorted(row["state"] for row in await world.ledger())


async def test_unreachable_relay_delays_and_nobody_gets_it_twice(world: World) -> None:
    traversal = await start(world)
    await arrive(world, traversal)
    world.transport = Breaking(2, "before")  # type: ignore[assignment]
    with pytest.raises(RelayUnreachable):
        await world.send(traversal)
    assert await states(world) == ["accepted", "claimed", "claimed"]
    world.pass_time(hours=5)
    sent = await world.send(traversal, claimant="another try")
    assert sent.ended is not None
    assert await states(world) == ["accepted"] * 3
    assert sorted(world.transport.accepted) == [f"p{n}@a.example" for n in range(3)]  # type: ignore[attr-defined]


class Slow(Breaking):
    """Takes so long over the first that what was asked for the others holds no more."""

    def __init__(self, world: World) -> None:
        super().__init__(0, "never")
        self.world = world

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        verdict = await super().send(message, before_content)
        if self.count == 1:
            self.world.pass_time(hours=2)
            await self.world.engage.execute(
                "update people set attributes = attributes || '{\"unsubscribed\": true}'"
                " where id = (select max(id) from people)"
            )
        return verdict


async def test_what_was_claimed_before_a_slow_message_is_looked_at_anew(world: World) -> None:
    traversal = await start(world)
    await arrive(world, traversal)
    world.transport = slow = Slow(world)  # type: ignore[assignment]
    sent = await world.send(traversal)
    assert sent.outcomes[-1].counts == {"accepted": 2, "skipped": 1}
    assert sent.ended is not None
    assert len(slow.accepted) == 2


async def test_death_between_claim_and_hand_over_loses_nothing(world: World) -> None:
    traversal = await start(world)
    await arrive(world, traversal)
    await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversal, 2, "try 1", world.now
    )
    assert await states(world) == ["claimed"] * 3
    await world.send(traversal, claimant="another try")
    assert await states(world) == ["accepted"] * 3


async def test_death_after_the_hand_over_is_in_doubt_and_not_sent_again(world: World) -> None:
    traversal = await start(world)
    await arrive(world, traversal)
    world.transport = Breaking(2, "killed")  # type: ignore[assignment]
    with pytest.raises(asyncio.CancelledError):
        await world.send(traversal)
    assert await states(world) == ["accepted", "claimed", "handed_over"]
    await world.send(traversal, claimant="another try")
    assert await states(world) == ["accepted", "accepted", "in_doubt"]
    assert len(world.transport.accepted) == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(("when", "state"), [("doubt", "in_doubt"), ("refused", "refused")])
async def test_verdict_is_recorded_and_the_account_goes_on(
    world: World, when: str, state: str
) -> None:
    traversal = await start(world)
    await arrive(world, traversal)
    world.transport = Breaking(2, when)  # type: ignore[assignment]
    sent = await world.send(traversal)
    assert sent.ended is not None
    assert sent.ended.label == "sent"
    assert await states(world) == sorted(["accepted", "accepted", state])


async def test_message_in_hand_when_the_journey_ended_is_in_doubt_once_it_can_only_be(
    world: World,
) -> None:
    """Nobody asks again for a traversal that has ended: the reconciler says what is known."""
    world.pass_time(hours=-1)  # the reconciler's clock is the real one
    traversal = await start(world)
    await arrive(world, traversal)
    world.transport = Breaking(2, "killed")  # type: ignore[assignment]
    with pytest.raises(asyncio.CancelledError):
        await world.send(traversal)
    reconciler = ReconcilerActivities(world.stores, client=None, starts=None)  # type: ignore[arg-type]
    await reconciler.never_settled(world.engage)
    assert await states(world) == ["accepted", "claimed", "handed_over"]  # a next try will ask
    await sql.fetch(
        world.engage, "close_traversals", traversal_ids=[traversal], reason="aborted", at=world.now
    )
    just_handed = {"before": world.now - timedelta(seconds=1), "at": world.now}
    await sql.execute(world.engage, "doubt_forgotten", **just_handed)
    assert await states(world) == ["accepted", "handed_over", "skipped"]  # its word may yet come
    await reconciler.never_settled(world.engage)
    assert await states(world) == ["accepted", "in_doubt", "skipped"]


async def test_two_attempts_at_once_hand_each_message_over_once(world: World) -> None:
    traversal = await start(world, people=20)
    await arrive(world, traversal)
    await asyncio.gather(
        world.send(traversal, claimant="one try"), world.send(traversal, claimant="another try")
    )
    recipients = [message.recipient for message in world.transport.messages]
    assert len(recipients) == len(set(recipients)) == 20


async def test_abort_stops_what_is_not_handed_over(world: World) -> None:
    traversal = await start(world)
    await arrive(world, traversal)
    claimed = await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversal, 2, "try 1", world.now
    )
    assert not isinstance(claimed, Served)
    await sql.fetch(
        world.engage, "close_traversals", traversal_ids=[traversal], reason="aborted", at=world.now
    )
    async with world.transport.session() as session:
        for message in claimed.messages:
            with pytest.raises(mail_hand_over.Overtaken):
                await mail_hand_over.hand_over(
                    world.engage, session, claimed.step, message, "try 1", lambda: world.now
                )
    assert world.transport.messages == []


async def test_message_id_is_the_same_at_every_try(world: World) -> None:
    traversal = await start(world)
    await arrive(world, traversal)
    first = await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversal, 2, "try 1", world.now
    )
    again = await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversal, 2, "try 2", world.now
    )
    assert isinstance(first, mail_claims.Claimed)
    assert isinstance(again, mail_claims.Claimed)
    assert [m.outgoing.message_id for m in first.messages] == [
        m.outgoing.message_id for m in again.messages
    ]


async def test_consent_withdrawn_before_a_retry_counts(world: World) -> None:
    traversal = await start(world)
    await arrive(world, traversal)
    await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversal, 2, "try 1", world.now
    )
    await world.engage.execute(
        "update people set attributes = attributes || '{\"unsubscribed\": true}' where external_id = 'p1'"
    )
    await world.send(traversal, claimant="another try")
    assert await states(world) == ["accepted", "accepted", "skipped"]


async def test_sent_mail_is_an_activity_once(world: World) -> None:
    traversal = await start(world)
    await arrive(world, traversal)
    await world.send(traversal)
    await world.send(traversal)
    count = await world.engage.fetchval("select count(*) from activities where type = 'email_sent'")
    assert count == 3


async def test_consent_withdrawn_while_the_relay_takes_its_time_counts(world: World) -> None:
    """What was asked at the claim is asked anew where it has grown old between MAIL and the content."""
    traversal = await start(world)
    await arrive(world, traversal)
    taken: list[str] = []

    class Slow:
        @asynccontextmanager
        async def session(self) -> AsyncIterator["Slow"]:
            yield self

        async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
            if not taken:
                world.pass_time(seconds=90)
            if message.recipient.startswith("p1@"):
                await world.engage.execute(
                    "update people set attributes = attributes || '{\"unsubscribed\": true}'"
                    " where external_id = 'p1'"
                )
                world.pass_time(seconds=90)
            await before_content()
            taken.append(message.recipient)
            return Accepted("250 ok")

    world.transport = Slow()  # type: ignore[assignment]
    await world.walk(traversal)
    assert sorted(await states(world)) == ["accepted", "accepted", "skipped"]
    assert sorted(taken) == ["p0@a.example", "p2@a.example"]
