"""Who sends, the delivery queue and a deletion meet at the same messages: they take turns, and never in a circle."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from caravan.campaigns import (
    addresses_taken,
    audience_flow,
    delivery_queue,
    departure,
    mail_claims,
    may_send,
    stretch,
    waiting_mail,
)
from caravan.platform import deletion
from tests.world import World

LIMITED = """
communication_limits: one
limits: [{per: person, at_most: 9, every: 1 week}]
quiet_hours: [{from: "21:00", to: "08:00", zone: UTC}]
---
journey: once
audience: everyone
schedule: {end: 30 days}
deduplicate_email: true
start: one
nodes:
  one: {do: [{send_email: {template: hi}}, {send_email: {template: ho}}], next: rest}
  rest: {wait: 20 days, end: over}
"""
PATIENCE = 20


async def inside_at_night(world: World, documents: str = LIMITED) -> dict[str, int]:
    """Two accounts of one person; their traversals."""
    world.now = world.now.replace(hour=23)
    workspace = world.workspace(documents, ("hi", "ho"))
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\nb,Bolt\n",
        people="person_id,email\np,p@x.example\n",
        relations="account_id,person_id,roles\na,p,buyer\nb,p,buyer\n",
    )
    await world.enter(await world.publish(workspace, "once"))
    rows = await world.engage.fetch(
        "select t.id, a.external_id from traversals t join accounts a on a.id = t.account_id"
        " order by t.id"
    )
    return {row["external_id"]: row["id"] for row in rows}


def told_and_waits(real: Any, tell: asyncio.Event, wait_for: asyncio.Event) -> Any:
    async def step(*arguments: Any, **named: Any) -> Any:
        done = await real(*arguments, **named)
        tell.set()
        await asyncio.wait_for(wait_for.wait(), PATIENCE)
        return done

    return step


async def test_the_queue_and_a_claim_of_several_messages_lock_counts_before_addresses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = await inside_at_night(world)
    await world.walk(inside["a"])  # its mail is held until morning
    world.now += timedelta(hours=10)
    counted, took = asyncio.Event(), asyncio.Event()
    real_take, real_look = addresses_taken.take, may_send.look_for_room
    passed = asyncio.Event()
    passed.set()
    monkeypatch.setattr(
        mail_claims, "lock_ahead", told_and_waits(mail_claims.lock_ahead, counted, passed)
    )

    async def take(visit: Any, *arguments: Any) -> Any:
        taken = await real_take(visit, *arguments)
        took.set()
        return taken

    async def look(visit: Any, *arguments: Any) -> Any:
        if visit.waited:  # the queue comes to the counts once the claim has them
            await asyncio.wait_for(counted.wait(), PATIENCE)
        return await real_look(visit, *arguments)

    monkeypatch.setattr(addresses_taken, "take", take)
    monkeypatch.setattr(may_send, "look_for_room", look)
    number = (await world.state(inside["b"])).step_no
    await stretch.run(world.engage, world.plans, inside["b"], number, world.now)
    number = (await world.state(inside["b"])).step_no
    await asyncio.gather(
        delivery_queue.send_some(
            world.engage, world.plans, world.mailing, "q/1/0", lambda: world.now
        ),
        mail_claims.claim(
            world.engage, world.plans, world.mailing, inside["b"], number, "try", world.now
        ),
    )
    assert took.is_set()


async def test_a_deletion_waits_for_the_queue_before_it_gives_back_anything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = await inside_at_night(world, LIMITED.replace("deduplicate_email: true\n", ""))
    for traversal in inside.values():
        await world.walk(traversal)
    world.now += timedelta(hours=10)
    async with world.platform.acquire() as conn, conn.transaction():
        account = await conn.fetchval("select id from accounts where external_id = 'a'")
        person = await conn.fetchval("select id from people")
        await deletion.delete(conn, "account", [account], world.now)
        await deletion.delete(conn, "person", [person], world.now)
    waiting = [
        message
        for message in await waiting_mail.take(world.engage, "q", world.now)
        if message.traversal_id == inside["b"]
    ]
    assert waiting
    in_hand, withdrawing = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(
        may_send, "look_for_room", told_and_waits(may_send.look_for_room, in_hand, withdrawing)
    )
    real = departure.leave_journeys

    async def withdraw(*arguments: Any) -> None:
        await asyncio.wait_for(in_hand.wait(), PATIENCE)
        withdrawing.set()
        await real(*arguments)

    monkeypatch.setattr(departure, "leave_journeys", withdraw)
    await asyncio.gather(
        audience_flow.follow_page(world.engage, world.platform, world.plans, world.now),
        waiting_mail.judge(world.engage, world.plans, world.mailing, waiting, "q", world.now),
    )
    states = {(row["state"], row["reason"]) for row in await world.ledger()}
    assert ("skipped", "account-deleted") in states
