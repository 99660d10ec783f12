"""Quiet hours at send time: messages wait or are dropped, by whosever clock the rule says."""

from datetime import UTC, datetime
from typing import Any

import pytest

from caravan.campaigns import delivery_queue, mail_claims, stretch
from tests.simulating import Simulating, bodies
from tests.world import World

JOURNEY = """
journey: post
audience: everyone
schedule: {end: 90 days}
start: mail
nodes:
  mail: {do: [{send_email: {template: hi}}], end: sent}
"""
NIGHT = 'communication_limits: nights\nzone: Europe/Stockholm\nquiet_hours: [{{from: "20:00", to: "07:00"{more}}}]\n---'
DATA = {
    "accounts": "account_id,name\na,Acme\n",
    "people": "person_id,email,time_zone,account_id\n"
    "p0,p0@x.example,Asia/Tokyo,a\np1,p1@x.example,,a\np2,p2@x.example,Mars/Dome,a\n",
}
#: in Stockholm, Tokyo (next day) and New York: 21:00, 05:00, 15:00
EVENING = datetime(2026, 3, 2, 20, tzinfo=UTC)


async def start(world: World, text: str, now: datetime = EVENING, **mail: str) -> int:
    world.now = now
    for name, body in mail.items():
        world.write(f"emails/{name}.html", body)
    workspace = world.workspace(text, ("hi",) if not mail else ())
    await world.load(workspace, **DATA)
    [traversal] = await world.enter(await world.publish(workspace, "post"))
    zones = 'update accounts set attributes = attributes || \'{"time_zone": "America/New_York"}\''
    await world.engage.execute(zones)
    return traversal


async def told(world: World) -> dict[str, Any]:
    rows = await world.engage.fetch(
        "select p.external_id, l.state, l.reason, l.until from ledger l join people p on p.id = l.person_id"
    )
    return {
        row["external_id"]: row["until"]
        if row["state"] == "held"
        else row["reason"] or row["state"]
        for row in rows
    }


async def test_message_waits_for_the_end_of_the_night_and_the_account_goes_on(world: World) -> None:
    traversal = await start(world, NIGHT.format(more="") + JOURNEY)
    assert (await world.walk(traversal)).ended is not None
    morning = datetime(2026, 3, 3, 6, tzinfo=UTC)
    assert await told(world) == {"p0": morning, "p1": morning, "p2": morning}
    assert world.mailed() == []


async def test_drop_says_so(world: World) -> None:
    traversal = await start(world, NIGHT.format(more=", otherwise: drop") + JOURNEY)
    await world.walk(traversal)
    assert await told(world) == dict.fromkeys(("p0", "p1", "p2"), "quiet-hours")


async def test_clock_is_the_persons_else_the_accounts_else_the_documents(world: World) -> None:
    traversal = await start(world, NIGHT.format(more=", zone: person") + JOURNEY)
    await world.walk(traversal)
    tokyo = datetime(2026, 3, 2, 22, tzinfo=UTC)
    # who has no zone, or none there is, goes by their account's: it is 15:00 in New York
    assert await told(world) == {"p0": tokyo, "p1": "accepted", "p2": "accepted"}


async def test_weekday_is_that_of_the_begin(world: World) -> None:
    text = NIGHT.format(more=", weekdays: [mon]") + JOURNEY
    traversal = await start(world, text, datetime(2026, 3, 3, 5, 59, tzinfo=UTC))  # Tuesday 06:59
    await world.walk(traversal)
    assert set((await told(world)).values()) == {datetime(2026, 3, 3, 6, tzinfo=UTC)}


async def test_operational_mail_is_not_held_up(world: World) -> None:
    body = "---\nemail: hi\nsubject: Bill\noperational: true\n---\n<p>hi</p>"
    traversal = await start(world, NIGHT.format(more="") + JOURNEY, hi=body)
    await world.walk(traversal)
    assert set((await told(world)).values()) == {"accepted"}


async def test_night_that_falls_between_two_tries_holds_and_gives_the_slots_back(
    world: World,
) -> None:
    limit = NIGHT.format(more="").replace(
        "---", "limits: [{per: account, at_most: 2, every: 1 day}]\n---"
    )
    traversal = await start(world, limit + JOURNEY, datetime(2026, 3, 2, 18, 59, tzinfo=UTC))
    await stretch.run(world.engage, world.plans, traversal, 1, world.now)
    claimed = await mail_claims.claim(
        world.engage, world.plans, world.mailing, traversal, 2, "try 1", world.now
    )
    assert isinstance(claimed, mail_claims.Claimed)
    assert len(claimed.messages) == 2
    assert await world.engage.fetchval("select sum(used) from limit_counts") == 2
    world.pass_time(minutes=1)
    await world.send(traversal, "another try")
    held = datetime(2026, 3, 3, 6, tzinfo=UTC)
    assert sorted(map(str, (await told(world)).values())) == [str(held), str(held), "limit-account"]
    assert await world.engage.fetchval("select sum(used) from limit_counts") == 0


async def test_in_the_morning_the_same_checks_are_made_anew(world: World) -> None:
    """What waited counts on the day it is sent, and what is held once more waits once more."""
    limit = NIGHT.format(more="").replace(
        "---", "limits: [{per: account, at_most: 2, every: 1 day}]\n---"
    )
    traversal = await start(world, limit + JOURNEY)
    await world.walk(traversal)
    assert await world.engage.fetchval("select count(*) from limit_slots") == 0
    world.now = datetime(2026, 3, 3, 6, tzinfo=UTC)
    while await delivery_queue.send_some(
        world.engage, world.plans, world.mailing, "queue", lambda: world.now
    ):
        pass
    assert sorted((await told(world)).values()) == ["accepted", "accepted", "limit-account"]
    counts = await world.engage.fetch("select used, ends_at from limit_counts where used > 0")
    assert [tuple(row) for row in counts] == [(2, datetime(2026, 3, 3, 23, tzinfo=UTC))]


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ("", {"outcome": "held"}),
        (", otherwise: drop", {"outcome": "skipped", "reason": "quiet-hours"}),
    ],
)
async def test_simulation_minds_quiet_hours(
    simulating: Simulating, more: str, outcome: dict[str, str]
) -> None:
    workspace = simulating.workspace(NIGHT.format(more=more) + JOURNEY, ("hi",), **DATA)
    ran = await simulating(workspace, "post", at=EVENING)
    [line] = bodies(ran, kind="do")
    assert line["effects"] == [
        {"action": "send_email", "template": "hi", "person": person, **outcome}
        for person in ("p0", "p1", "p2")
    ]


async def test_simulation_minds_limits(simulating: Simulating) -> None:
    limits = "communication_limits: few\nlimits: [{per: person, at_most: 1, every: 1 week}]\n---"
    twice = JOURNEY.replace(
        "end: sent}",
        "next: rest}\n  rest: {wait: 1 day, next: again}\n  again: {do: [{send_email: {template: hi}}], end: sent}",
    )
    workspace = simulating.workspace(limits + twice, ("hi",), **DATA)
    ran = await simulating(workspace, "post", at=EVENING)
    first, second = ([one["outcome"] for one in line["effects"]] for line in bodies(ran, kind="do"))
    assert (first, second) == (["sent"] * 3, ["skipped"] * 3)
