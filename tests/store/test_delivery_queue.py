"""Mail that waits: sent when its time has come, once, by what holds then."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from caravan.campaigns import delivery_queue, mail_claims, stretch, waiting_mail
from caravan.campaigns.candidates import Candidate
from caravan.campaigns.effects import Place
from caravan.campaigns.mail_hand_over import Overtaken
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.may_send import Decision
from caravan.campaigns.resolving import Said, resolve
from caravan.campaigns.visit import Visit
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.rates import Rates
from caravan.delivery.transport import (
    Accepted,
    BeforeContent,
    Deferred,
    InDoubt,
    Outgoing,
    Verdict,
)
from caravan.engage import halting, journeys, life_cycle, sql
from caravan.journeys.actions.send_email import SendEmail
from tests.relay import DROP, HANG, Relay
from tests.world import World

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], next: rest}
  rest: {wait: 5 days, end: over}
"""
LATER = "450 4.2.0 greylisted"


@pytest.fixture
async def relay(world: World) -> AsyncIterator[Relay]:
    new = Relay()
    await new.start()
    world.transport = new.transport()  # type: ignore[assignment]
    yield new
    await new.stop()


@dataclass
class Hours:
    """Holds everybody's mail until an instant, in the place where quiet hours decide."""

    until: datetime

    async def decide(
        self,
        visit: Visit,
        mailing: Mailing,
        place: Place,
        action: SendEmail,
        people: Sequence[Candidate],
    ) -> dict[int, Decision]:
        held = self.until if visit.as_of < self.until else None
        return {person.id: Decision(waits_until=held) for person in people}


@pytest.fixture
def hours(world: World, monkeypatch: pytest.MonkeyPatch) -> Hours:
    new = Hours(world.now + timedelta(hours=9))
    monkeypatch.setattr(mail_claims, "decide", new.decide)
    monkeypatch.setattr(waiting_mail, "decide", new.decide)
    return new


class Slow:
    """A transport that takes its time over the content; everybody else unsubscribes meanwhile."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.takes = timedelta(0)
        self.verdicts: list[Verdict] = []
        self.taken: list[str] = []

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Slow"]:
        yield self

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        await before_content()
        if self.verdicts:
            return self.verdicts.pop()
        self.taken.append(message.recipient)
        self.world.now += self.takes
        await self.world.engage.execute(
            "update people set attributes = attributes || '{\"unsubscribed\": true}'"
            " where attributes ->> 'email' <> $1",
            message.recipient,
        )
        return Accepted("250 ok")


async def publish(world: World, people: int = 1, journey: str = JOURNEY) -> tuple[int, int]:
    workspace = world.workspace(journey, ("hi",))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\n"
        + "".join(f"p{n},p{n}@a.example,a\n" for n in range(people)),
    )
    journey_id = await world.publish(workspace, "post")
    [traversal] = await world.enter(journey_id)
    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    return journey_id, traversal


async def drain(world: World, claimant: str = "queue/1") -> int:
    moved = 0
    while page := await delivery_queue.send_some(
        world.engage, world.plans, world.mailing, claimant, lambda: world.now
    ):
        moved += page
    return moved


async def states(world: World) -> list[tuple[str, str | None]]:
    return [(row["state"], row["reason"]) for row in await world.ledger()]


async def sent(world: World) -> int:
    return int(
        await world.engage.fetchval("select count(*) from activities where type = 'email_sent'")
    )


async def test_deferred_goes_when_its_time_has_come_with_the_same_message_id(
    world: World, relay: Relay
) -> None:
    _, traversal = await publish(world)
    relay.when("RCPT", LATER)
    await world.send(traversal)
    [row] = await world.ledger()
    assert (row["state"], row["queued"], row["tries"]) == ("deferred", "deferred", 1)
    world.pass_time(minutes=14)
    assert await drain(world) == 0
    world.pass_time(minutes=1)
    assert await drain(world) == 1
    assert relay.mails == [("p0@a.example", row["message_id"])]
    assert await states(world) == [("accepted", None)]
    assert await sent(world) == 1
    assert await drain(world) == 0


async def test_each_time_it_waits_twice_as_long_and_then_it_is_refused(
    world: World, relay: Relay
) -> None:
    _, traversal = await publish(world, journey=JOURNEY.replace("5 days", "20 days"))
    relay.when("DOT", LATER, times=None)
    began = world.now
    await world.send(traversal)
    waits = []
    while (row := (await world.ledger())[0])["state"] == "deferred":
        waits.append((row["until"] - world.now) / timedelta(minutes=1))
        world.now = row["until"]
        assert await drain(world) == 1
    assert waits == [15 * 2**n for n in range(8)]
    assert world.now - began < timedelta(hours=72)
    assert (row["state"], row["reason"], row["reply"]) == ("refused", "expired", LATER)
    assert await sent(world) == 0


async def test_held_waits_for_its_hour_and_is_written_with_the_data_of_then(
    world: World, relay: Relay, hours: Hours
) -> None:
    _, traversal = await publish(world)
    step = await world.send(traversal)
    assert step.outcomes[-1].counts == {"held": 1}
    await world.engage.execute(
        """update people set attributes = attributes || '{"first_name": "Ada"}'"""
    )
    world.pass_time(hours=8)
    assert await drain(world) == 0
    world.pass_time(hours=1)
    assert await drain(world) == 1
    assert b"Hello Ada" in relay.contents[0]
    [row] = await world.ledger()
    assert (row["state"], row["queued"]) == ("accepted", "held")


async def test_held_again_where_the_hour_has_moved(
    world: World, relay: Relay, hours: Hours
) -> None:
    _, traversal = await publish(world)
    await world.send(traversal)
    world.pass_time(hours=9)
    hours.until = world.now + timedelta(hours=1)
    await drain(world)
    assert await states(world) == [("held", None)]
    world.pass_time(hours=1)
    await drain(world)
    assert await states(world) == [("accepted", None)]
    assert len(relay.mails) == 1


async def test_who_has_unsubscribed_meanwhile_gets_nothing(world: World, relay: Relay) -> None:
    _, traversal = await publish(world)
    relay.when("RCPT", LATER)
    await world.send(traversal)
    await world.engage.execute(
        """update people set attributes = attributes || '{"unsubscribed": true}'"""
    )
    world.pass_time(hours=1)
    assert await drain(world) == 1
    assert relay.mails == []
    assert await states(world) == [("skipped", "unsubscribed")]


async def test_goes_although_the_account_has_come_to_its_end(world: World, relay: Relay) -> None:
    _, traversal = await publish(world, journey=JOURNEY.replace("5 days", "5 minutes"))
    relay.when("RCPT", LATER)
    await world.send(traversal)
    world.pass_time(minutes=10)
    assert (await world.walk(traversal)).ended is not None
    world.pass_time(minutes=10)
    assert await drain(world) == 1
    assert await states(world) == [("accepted", None)]


async def test_ended_journey_is_not_finished_while_its_mail_waits(
    world: World, relay: Relay
) -> None:
    journey_id, traversal = await publish(world, journey=JOURNEY.replace("5 days", "5 minutes"))
    relay.when("RCPT", LATER)
    await world.send(traversal)
    world.pass_time(minutes=10)
    await world.walk(traversal)
    state = "select state from journeys where id = $1"
    await life_cycle.close(world.engage, "post")
    assert await world.engage.fetchval(state, journey_id) == "closed"
    world.pass_time(minutes=10)
    await drain(world)
    await journeys.note_ends(world.engage, world.now)
    assert await world.engage.fetchval(state, journey_id) == "finished"


async def close_by_force(world: World, traversal: int, reason: str) -> None:
    await sql.fetch(
        world.engage, "close_traversals", traversal_ids=[traversal], reason=reason, at=world.now
    )


async def test_removed_account_gets_nothing_more(world: World, relay: Relay) -> None:
    _, traversal = await publish(world)
    relay.when("RCPT", LATER)
    await world.send(traversal)
    await close_by_force(world, traversal, "removed")
    assert await states(world) == [("skipped", "journey-not-live")]
    world.pass_time(hours=1)
    assert await drain(world) == 0


async def test_aborted_journey_sends_nothing_also_for_accounts_that_had_ended(
    world: World, relay: Relay
) -> None:
    _, traversal = await publish(world, journey=JOURNEY.replace("5 days", "5 minutes"))
    relay.when("RCPT", LATER)
    await world.send(traversal)
    world.pass_time(minutes=10)
    await world.walk(traversal)
    await life_cycle.abort(world.engage, "post")
    world.pass_time(minutes=10)
    await drain(world)
    assert relay.mails == []
    assert await states(world) == [("skipped", "journey-not-live")]


async def test_what_waits_waits_on_while_sending_is_halted(world: World, relay: Relay) -> None:
    _, traversal = await publish(world)
    relay.when("RCPT", LATER)
    await world.send(traversal)
    await halting.halt(world.engage, world.now, "anna")
    world.pass_time(hours=20)
    assert await drain(world) == 0
    assert await states(world) == [("deferred", None)]
    await halting.resume_all(world.engage)
    assert await drain(world) == 1
    assert len(relay.mails) == 1


async def test_paused_journey_keeps_its_mail_until_it_is_resumed(
    world: World, relay: Relay
) -> None:
    _, traversal = await publish(world)
    relay.when("RCPT", LATER)
    await world.send(traversal)
    await life_cycle.pause(world.engage, "post", world.now)
    world.pass_time(hours=20)
    assert await drain(world) == 0
    assert await states(world) == [("deferred", None)]
    await life_cycle.resume(world.engage, "post", world.now)
    assert await drain(world) == 1
    assert await states(world) == [("accepted", None)]


async def test_pause_between_the_look_and_the_content_holds_it_back(
    world: World, relay: Relay
) -> None:
    _, traversal = await publish(world)
    relay.when("RCPT", LATER)
    await world.send(traversal)
    world.pass_time(hours=1)
    [message] = await waiting_mail.take(world.engage, "queue/1", world.now)
    [ready] = await waiting_mail.judge(
        world.engage, world.plans, world.mailing, [message], "queue/1", world.now
    )
    await life_cycle.pause(world.engage, "post", world.now)
    async with world.transport.session() as session:
        with suppress(delivery_queue.Overtaken):
            await delivery_queue._hand_over(
                world.engage,
                world.plans,
                session,
                ready,
                "queue/1",
                lambda: world.now,
                captured=False,
            )
    assert relay.mails == []
    assert await states(world) == [("deferred", None)]


async def test_too_late_is_told(world: World, relay: Relay, hours: Hours) -> None:
    _, traversal = await publish(world, journey=JOURNEY.replace("5 days", "20 days"))
    await world.send(traversal)
    world.pass_time(hours=73)
    await drain(world)
    assert relay.mails == []
    assert await states(world) == [("skipped", "expired")]


async def test_person_deleted_while_it_waits_gets_nothing(world: World, relay: Relay) -> None:
    _, traversal = await publish(world)
    relay.when("RCPT", LATER)
    await world.send(traversal)
    await world.engage.execute("update people set deleted_at = $1", world.now)
    world.pass_time(hours=1)
    await drain(world)
    assert relay.mails == []
    assert await states(world) == [("skipped", "no-address")]


async def test_after_the_last_day_nothing_goes(world: World, relay: Relay) -> None:
    journey = JOURNEY.replace("30 days", "1 day").replace("5 days", "5 minutes")
    _, traversal = await publish(world, journey=journey)
    await world.engage.execute(
        "update journeys set deadline = $1", world.now + timedelta(minutes=20)
    )
    relay.when("RCPT", LATER)
    await world.send(traversal)
    world.pass_time(minutes=21)
    await drain(world)
    assert await states(world) == [("skipped", "journey-not-live")]


async def test_absent_relay_keeps_it_waiting(world: World, relay: Relay) -> None:
    _, traversal = await publish(world, people=3)
    relay.when("RCPT", LATER, times=3)
    await world.send(traversal)
    world.pass_time(hours=1)
    relay.when("MAIL", "250 ok")
    relay.when("MAIL", DROP, times=2)  # once may be a conversation that was over: it is begun again
    with pytest.raises(RelayUnreachable):
        await drain(world)
    assert sorted(state for state, _ in await states(world)) == ["accepted", "deferred", "deferred"]
    assert await drain(world) == 0
    world.pass_time(minutes=1)
    assert await drain(world) == 2
    assert len(set(relay.mails)) == len(relay.mails) == 3


async def test_far_turn_of_one_domain_keeps_no_other_waiting(world: World, relay: Relay) -> None:
    _, traversal = await publish(world, people=4)
    await world.engage.execute(
        'update people set attributes = attributes || \'{"email": "z@quick.example"}\''
        " where id = (select max(id) from people)"
    )
    relay.when("RCPT", LATER, times=4)
    await world.send(traversal)
    world.pass_time(hours=1)
    mailing = replace(world.mailing, rates=Rates.parse("to:a.example=1/h")).for_store(world.engage)
    looked = await delivery_queue.send_some(
        world.engage, world.plans, mailing, "queue/1", lambda: world.now
    )
    assert looked == 4
    domains = sorted(address.partition("@")[2] for address, _ in relay.mails)
    assert domains == ["a.example", "quick.example"]
    rows = [row for row in await world.ledger() if row["state"] == "deferred"]
    assert len(rows) == 2
    for row in rows:
        assert timedelta(minutes=55) < row["until"] - world.now < timedelta(minutes=65)
        assert "SEND_RATES" in row["reply"]


async def test_death_before_the_hand_over_loses_nothing(world: World, relay: Relay) -> None:
    _, traversal = await publish(world)
    relay.when("RCPT", LATER)
    await world.send(traversal)
    world.pass_time(hours=1)
    await waiting_mail.take(world.engage, "run/7/1/0", world.now)
    assert await drain(world, "run/7/2/0") == 0  # leased
    await delivery_queue.take_over(world.engage, "run/7/", world.now)
    assert await drain(world, "run/7/2/0") == 1
    assert len(relay.mails) == 1


async def test_lease_that_ran_out_is_anybodys_and_the_first_finds_out(
    world: World, relay: Relay
) -> None:
    _, traversal = await publish(world)
    relay.when("RCPT", LATER)
    await world.send(traversal)
    world.pass_time(hours=1)
    [message] = await waiting_mail.take(world.engage, "slow", world.now)
    [ready] = await waiting_mail.judge(
        world.engage, world.plans, world.mailing, [message], "slow", world.now
    )
    world.pass_time(minutes=3)
    assert await drain(world, "other") == 1
    async with world.transport.session() as session:
        with pytest.raises(delivery_queue.Overtaken):
            await delivery_queue._hand_over(
                world.engage,
                world.plans,
                session,
                ready,
                "slow",
                lambda: world.now,
                captured=False,
            )
    assert len(relay.mails) == 1


async def test_what_was_judged_before_a_slow_message_is_judged_anew(world: World) -> None:
    _, traversal = await publish(world, people=2)
    slow = Slow(world)
    world.transport = slow  # type: ignore[assignment]
    slow.verdicts = [Deferred(450, LATER)] * 2
    await world.send(traversal)
    world.pass_time(hours=1)
    slow.takes = timedelta(minutes=3)  # longer than the lease
    await drain(world)
    assert sorted(await states(world)) == [("accepted", None), ("skipped", "unsubscribed")]
    assert len(slow.taken) == 1


async def test_death_after_the_dot_is_in_doubt_and_not_sent_again(
    world: World, relay: Relay
) -> None:
    _, traversal = await publish(world)
    relay.when("RCPT", LATER)
    await world.send(traversal)
    world.pass_time(hours=1)
    relay.when("DOT", HANG)
    sending = asyncio.create_task(drain(world, "run/7/1/0"))
    await relay.until(lambda: len(relay.mails) == 1)
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending
    assert await states(world) == [("handed_over", None)]
    await delivery_queue.take_over(world.engage, "run/8/", world.now)
    assert await states(world) == [("handed_over", None)]  # somebody else's, whose lease runs
    await delivery_queue.take_over(world.engage, "run/7/", world.now)
    assert await states(world) == [("in_doubt", None)]
    world.pass_time(days=1)
    assert await drain(world) == 0
    assert len(relay.mails) == 1


async def test_two_drains_at_once_send_each_message_once(world: World, relay: Relay) -> None:
    _, traversal = await publish(world, people=50)
    relay.when("RCPT", LATER, times=50)
    await world.send(traversal)
    world.pass_time(hours=1)
    await asyncio.gather(*(drain(world, f"queue/{n}") for n in range(4)))
    while await drain(world):
        pass
    assert len(relay.mails) == len(set(relay.mails)) == 50
    assert {state for state, _ in await states(world)} == {"accepted"}
    assert await sent(world) == 50


async def test_node_that_tries_again_leaves_what_waits_alone(world: World, relay: Relay) -> None:
    """The relay goes away behind a message it put off: the account tries on, the queue has its own."""
    _, traversal = await publish(world, people=2)
    relay.when("RCPT", LATER)
    relay.when("MAIL", "250 ok")
    relay.when("MAIL", DROP)
    with pytest.raises(RelayUnreachable):
        await world.send(traversal, "try 1")
    world.pass_time(hours=1)
    [message] = await waiting_mail.take(world.engage, "queue", world.now)
    step = await world.send(traversal, "try 2")
    assert step.outcomes[-1].counts == {"deferred": 1, "accepted": 1}
    assert [row["claimant"] for row in await world.ledger() if row["queued"]] == ["queue"]
    await waiting_mail.judge(
        world.engage, world.plans, world.mailing, [message], "queue", world.now
    )
    world.pass_time(minutes=3)
    await drain(world)
    assert len(relay.mails) == len(set(relay.mails)) == 2


async def test_one_journey_does_not_keep_another_waiting(world: World, relay: Relay) -> None:
    """Each take is of one journey by lot: some take of a few is of the small one's."""
    _, traversal = await publish(world, people=3)
    relay.when("RCPT", LATER, times=3)
    await world.send(traversal)
    world.pass_time(hours=1)
    await world.engage.execute(
        "insert into journeys (slug, version, name, state, plan_hash, audience)"
        " select 'large', 1, 'Large', 'live', plan_hash, 'everyone' from journeys limit 1"
    )
    await world.engage.execute(
        "insert into ledger (traversal_id, node, visit, position, person_id, action, state, queued, until,"
        " claimed_at, journey_id) select $1, 'large', 1, 0, n, 'send_email', 'held', 'held', $2, $2,"
        " (select id from journeys where slug = 'large') from generate_series(1, 5000) n",
        traversal,
        world.now - timedelta(minutes=50),
    )
    taken: set[Any] = set()
    for number in range(40):
        taken |= {
            one.node for one in await waiting_mail.take(world.engage, f"t{number}", world.now)
        }
    assert taken == {"mail", "large"}


async def test_what_is_due_is_found_by_its_index(world: World, relay: Relay) -> None:
    """Among 50,000 messages that wait for nothing, and 1,000 that wait for tomorrow."""
    _, traversal = await publish(world)
    await world.engage.execute(
        "insert into ledger (traversal_id, node, visit, position, person_id, action, state, queued, until,"
        " claimed_at, journey_id) select $1, 'x', 1, 0, n, 'send_email',"
        " case when n % 50 = 0 then 'held' else 'accepted' end, case when n % 50 = 0 then 'held' end, $2, $2,"
        " (select min(id) from journeys) from generate_series(1, 50000) n",
        traversal,
        world.now + timedelta(days=1),
    )
    await world.engage.execute("analyze ledger")
    text = (
        sql.sql("take_waiting")
        .replace("$1", f"'{world.now.isoformat()}'::timestamptz")
        .replace("$2", "20")
        .replace("$3", "'try'")
        .replace("$4", f"'{world.now.isoformat()}'::timestamptz")
    )
    plan = str(await world.engage.fetch(f"explain {text}"))
    assert "ledger_queued" in plan
    assert "Seq Scan on ledger" not in plan


async def test_what_is_sent_again_of_an_ended_version_waits_for_the_journeys_pause(
    world: World,
) -> None:
    slow = Slow(world)
    slow.verdicts = [InDoubt("silence")]
    world.transport = slow  # type: ignore[assignment]
    first, traversal = await publish(world)
    await world.walk(traversal)
    [message_id] = [row["message_id"] for row in await world.ledger()]
    newer = world.workspace(JOURNEY.replace("5 days", "6 days"), ("hi",))
    assert await world.publish(newer, "post") != first
    await world.engage.execute("update journeys set state = 'finished' where id = $1", first)
    await life_cycle.pause(world.engage, "post", world.now)
    await resolve(world.engage, world.plans, message_id, Said.resend, "Ann", world.now)
    assert await drain(world) == 0
    # nor where it was taken, or judged, before the pause
    await life_cycle.resume(world.engage, "post", world.now)
    [waiting] = await waiting_mail.take(world.engage, "queue/1", world.now)
    await life_cycle.pause(world.engage, "post", world.now)
    assert not await waiting_mail.judge(
        world.engage, world.plans, world.mailing, [waiting], "queue/1", world.now
    )
    await life_cycle.resume(world.engage, "post", world.now)
    [waiting] = await waiting_mail.take(world.engage, "queue/1", world.now)
    [ready] = await waiting_mail.judge(
        world.engage, world.plans, world.mailing, [waiting], "queue/1", world.now
    )
    await life_cycle.pause(world.engage, "post", world.now)
    with pytest.raises(Overtaken):
        await delivery_queue._hand_over(
            world.engage, world.plans, slow, ready, "queue/1", lambda: world.now, captured=False
        )
    assert slow.taken == []
    await life_cycle.resume(world.engage, "post", world.now)
    assert await drain(world) == 1
    assert slow.taken == ["p0@a.example"]
