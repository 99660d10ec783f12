"""Halting: nothing leaves once the command has returned, and all that was held goes on afterwards."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from caravan.campaigns import last_word, sending
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.errors import RelayUnreachable
from caravan.engage import halting, life_cycle, standstill
from tests.commands import caravan
from tests.relay import Relay
from tests.store.test_pause_and_abort import Interfering, held, serve, start, woken
from tests.world import World

BY = "anna@office"


async def stop(world: World, reason: str | None = None) -> halting.Halted:
    return await halting.halt(world.engage, world.now, BY, reason)


async def states(world: World) -> list[str]:
    return sorted(row["state"] for row in await world.ledger() if row["action"] == "send_email")


async def test_halted_account_waits_at_its_mail_and_goes_on_when_all_does(world: World) -> None:
    [first, *_] = await start(world)
    await serve(world, first)
    await stop(world)
    sent = await world.send(first)
    assert sent.held_until is not None
    assert sent.outcomes == []
    assert await states(world) == []
    assert await held(world) == 1
    went_on = await halting.resume_all(world.engage)
    assert went_on.woken == 1
    assert await woken(world) == [first]
    assert (await world.send(first)).outcomes[0].counts == {"accepted": 3}


async def test_command_line_says_why_an_account_stands_still(world: World) -> None:
    [first, *_] = await start(world)
    await serve(world, first)
    account = await world.engage.fetchval(
        "select a.external_id from traversals t join accounts a on a.id = t.account_id where t.id = $1",
        first,
    )

    def cli(*arguments: str) -> str:
        ended = caravan(
            *arguments,
            PLATFORM_DSN=world.stores.platform_dsn,
            ENGAGE_DSN=world.stores.engage_dsn,
            SMTP_URL="smtp://127.0.0.1:9",
            TEMPORAL_ADDRESS="127.0.0.1:1",
            CARAVAN_SUBSCRIPTION=world.munchkin,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert "wrong prices" in cli("halt", "--reason", "wrong prices")
    assert "was halted already" in cli("halt")
    await world.send(first)
    for shown in (cli("account", "show", account), cli("journey", "show", "trip")):
        assert "sending is halted since" in shown
        assert "wrong prices" in shown
    assert "goes on, 1 account with it" in cli("resume-all")
    assert "was not halted" in cli("resume-all")
    assert "held" not in cli("account", "show", account)


async def test_halt_stops_mail_between_two_people(world: World) -> None:
    [first, *_] = await start(world)
    await serve(world, first)
    world.transport = Interfering(lambda: stop(world))
    sent = await world.send(first)
    assert sent.held_until is not None
    assert await states(world) == ["accepted", "claimed", "claimed"]
    await halting.resume_all(world.engage)
    world.transport = CaptureTransport()
    assert (await world.send(first, "try 2")).outcomes[0].counts == {"accepted": 3}
    assert len(world.transport.messages) == 2


async def test_only_what_leaves_stands_still(world: World) -> None:
    [first, *_] = await start(world)
    await world.walk(first)
    await stop(world)
    world.pass_time(days=3)
    await world.walk(first)
    assert (await world.state(first)).position == "ears"  # past a wait and a write to the store
    assert await held(world) == 0


async def test_held_is_not_woken_while_sending_is_halted(world: World) -> None:
    [first, *_] = await start(world)
    await serve(world, first)
    await stop(world)
    await world.send(first)
    assert await life_cycle.wake_held(world.engage) == 0  # the reconciler's look
    await life_cycle.pause(world.engage, "trip", world.now)
    assert (await halting.resume_all(world.engage)).woken == 0  # its journey is paused too
    await life_cycle.resume(world.engage, "trip", world.now)
    assert await woken(world) == [first]


async def test_paused_journey_that_goes_on_under_a_halt_is_held_again(world: World) -> None:
    [first, *_] = await start(world)
    await serve(world, first)
    await life_cycle.pause(world.engage, "trip", world.now)
    await world.send(first)
    await stop(world)
    await life_cycle.resume(world.engage, "trip", world.now)
    assert await woken(world) == [first]
    assert (await world.send(first)).held_until is not None
    assert (await halting.resume_all(world.engage)).woken == 1


async def test_account_about_to_be_held_and_resume_all_never_miss_each_other(world: World) -> None:
    ids = await start(world)
    for traversal in ids:
        await serve(world, traversal)
    for _ in range(5):
        await stop(world)
        await asyncio.gather(
            *(world.send(traversal) for traversal in ids), halting.resume_all(world.engage)
        )
        assert await held(world) == 0  # whoever was held has been woken
        await world.engage.execute("delete from wakeups")
        await world.engage.execute("delete from ledger")


async def test_held_leaves_by_the_end_date_all_the_same(world: World) -> None:
    [first, *_] = await start(world)
    await serve(world, first)
    await stop(world)
    until = (await world.send(first)).held_until
    assert until is not None
    world.now = until
    ended = (await world.send(first)).ended
    assert ended is not None
    assert ended.reason == "end-date"
    assert world.transport.messages == []


async def test_commands_may_be_given_again(world: World) -> None:
    first = await stop(world)
    assert first.changed
    assert first.over
    world.pass_time(hours=1)
    again = await stop(world, "wrong price list")
    assert not again.changed
    assert (again.halt.at, again.halt.by) == (first.halt.at, BY)
    assert "wrong price list" in (await stop(world)).halt.in_words  # a reason stays
    assert await halting.halted(world.engage) is not None
    assert (await halting.resume_all(world.engage)).halt is not None
    assert (await halting.resume_all(world.engage)).halt is None
    assert await halting.halted(world.engage) is None


@pytest.fixture
async def relay(world: World) -> AsyncIterator[Relay]:
    new = Relay()
    await new.start()
    world.transport = new.transport()  # type: ignore[assignment]
    yield new
    await new.stop()


class Slow:
    """A store that answers the last word late, as one does to a process that was stopped meanwhile."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, late: float) -> None:
        self.asked = 0
        self.given = asyncio.Event()
        plain = sending.hand_over.__globals__["sql"].fetchval

        async def fetchval(conn: object, query: str, **named: object) -> object:
            answer = await plain(conn, query, **named)
            if query == "hand_over":
                self.asked += 1
                self.given.set()
                if self.asked == 1:
                    await asyncio.sleep(late)
            return answer

        monkeypatch.setattr("caravan.campaigns.mail_hand_over.sql.fetchval", fetchval)


async def test_word_that_grew_old_is_asked_for_again(
    world: World, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_word, "LAST_WORD_HOLDS", 0.1)
    [first, *_] = await start(world)
    await serve(world, first)
    slow = Slow(world, monkeypatch, 0.2)
    assert (await world.send(first)).outcomes[0].counts == {"accepted": 3}
    assert slow.asked == 4
    assert len(relay.mails) == 3


@pytest.mark.parametrize("command", ["halt", "pause", "abort"])
async def test_process_that_was_stopped_after_the_last_word_sends_nothing_when_it_goes_on(
    world: World, relay: Relay, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for module in (last_word, standstill):
        monkeypatch.setattr(module, "LAST_WORD_HOLDS", 0.2)
    [first, *_] = await start(world)
    await serve(world, first)
    slow = Slow(world, monkeypatch, 1.0)
    sending = asyncio.create_task(world.send(first))
    await slow.given.wait()
    if command == "halt":
        await stop(world)
    elif command == "pause":
        await life_cycle.pause(world.engage, "trip", world.now)
    else:
        await life_cycle.abort(world.engage, "trip")
        assert [page async for page in life_cycle.take_out(world.engage, "trip", world.now)]
        await standstill.nothing_is_leaving(world.engage, "trip")
    assert not sending.done()
    await sending
    assert relay.mails == []
    left = ["claimed"] * 3 if command != "abort" else ["skipped"] * 3
    assert await states(world) == left
    if command != "abort":
        await halting.resume_all(world.engage)
        await life_cycle.resume(world.engage, "trip", datetime.now(UTC))
        assert (await world.send(first, "try 2")).outcomes[0].counts == {"accepted": 3}
        assert len(set(relay.mails)) == len(relay.mails) == 3


async def test_halt_does_not_wait_for_a_relay_that_is_slow_to_answer(
    world: World, relay: Relay
) -> None:
    [first, *_] = await start(world)
    await serve(world, first)
    relay.when("DOT", "hang")
    world.transport = relay.transport()  # type: ignore[assignment]
    world.transport.final_timeout = 30  # type: ignore[attr-defined]
    sending = asyncio.create_task(world.send(first))
    await relay.until(lambda: len(relay.mails) == 1)  # it has the message, and says nothing
    async with asyncio.timeout(10):
        await stop(world)
    assert not sending.done()
    await relay.stop()
    with pytest.raises(RelayUnreachable):
        await sending
    assert (await world.send(first, "try 2")).held_until is not None
    assert await states(world) == ["claimed", "claimed", "in_doubt"]
