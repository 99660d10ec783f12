"""Events by all the ways they come in: files, the gateway and the command give one answer."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from caravan.engage import event_keys
from caravan.platform.event_lines import LONGEST_LINE, EventRow
from caravan.platform.events import AHEAD, record_events
from tests.commands import Cli
from tests.service import Listening
from tests.world import World

LONG_AGO = "2026-03-01T08:00:00Z"

BAD: list[Any] = [
    "no object",
    ["no", "object"],
    {"at": LONG_AGO, "person_id": "p"},
    {"at": LONG_AGO, "type": "", "person_id": "p"},
    {"at": LONG_AGO, "type": "x" * 201, "person_id": "p"},
    {"at": "noon", "type": "x", "person_id": "p"},
    {"at": 12, "type": "x", "person_id": "p"},
    {"at": LONG_AGO, "type": "x"},
    {"at": LONG_AGO, "type": "x", "person_id": True},
    {"at": LONG_AGO, "type": "x", "person_id": ["p"]},
    {"at": LONG_AGO, "type": "x", "person_id": "nobody"},
    {"at": LONG_AGO, "type": "x", "account_id": "nowhere"},
    {"at": LONG_AGO, "type": "x", "person_id": "p", "id": "a\nb"},
    {"at": LONG_AGO, "type": "x", "person_id": "p", "note": "\x00"},
    {"at": LONG_AGO, "type": "x", "person_id": "p", "note": "\ud800"},
    {"at": LONG_AGO, "type": "x", "person_id": "p", "worth": float("nan")},
    {"at": "9999-12-31T23:59:59Z", "type": "x", "person_id": "p"},
]
GOOD = {"id": "e1", "at": LONG_AGO, "type": "x", "person_id": "p", "worth": 12}


async def start(world: World) -> None:
    await world.load(
        world.workspace(""),
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )


def without_now(reason: str) -> str:
    return re.sub(r"now \([^)]*\)", "now", reason)


async def posted(world: World, gateway: Listening, body: Any) -> Any:
    key = await event_keys.new_key(world.engage, world.munchkin, "forms", datetime.now(UTC))
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(trust_env=False) as client:
        content = json.dumps(body).encode()
        answer = await client.post(f"{gateway.url}/events", headers=headers, content=content)
    assert answer.status_code == 200
    return answer.json()


async def test_same_bad_events_get_the_same_answers_whichever_way_they_come(
    world: World, gateway: Listening
) -> None:
    await start(world)
    said = [*BAD, GOOD, GOOD]
    lines = "\n".join(json.dumps(one) for one in said)
    by_post = await posted(world, gateway, said)
    reasons = [without_now(one.get("reason", "")) for one in by_post["events"]]
    assert all(reasons[: len(BAD)])
    assert reasons[len(BAD) :] == ["", ""]

    path = world.write("events.jsonl", lines)
    sent = await Cli(world).run("event", "send", "--file", str(path), "--format", "json")
    assert sent.returncode == 2
    by_command = json.loads(sent.stdout)
    assert [without_now(one["reason"]) for one in by_command["problems"]] == reasons[: len(BAD)]
    assert [one["line"] for one in by_command["problems"]] == list(range(1, len(BAD) + 1))
    assert (by_command["recorded"], by_command["repeated"]) == (0, 2)

    [report] = await world.load(world.workspace(""), events=lines)
    assert [without_now(bad.reason) for bad in report.bad] == reasons[: len(BAD)]
    assert (report.new, report.unchanged) == (0, 2)


async def test_event_by_options_is_recorded_once_by_its_id(world: World) -> None:
    await start(world)
    cli = Cli(world)
    event = ("event", "send", "signed", "--person", "p", "--account", "a", "--id", "e1")
    fields = ("--set", "worth=12.5", "--set", "won=true", "--set", "zip=0420", "--set", 'n="1"')
    assert await cli.json(*event, *fields) == {
        "recorded": 1,
        "repeated": 0,
        "refused": 0,
        "problems": [],
    }
    assert await cli.say(*event) == "0 recorded, 1 repeated, 0 refused\n"
    row = await world.platform.fetchrow("select * from activities")
    assert row is not None
    assert (row["external_id"], row["type"]) == ("e1", "signed")
    assert row["fields"] == {"worth": 12.5, "won": True, "zip": "0420", "n": "1"}
    assert abs(row["at"] - datetime.now(UTC)) < timedelta(minutes=1)


async def test_event_by_options_that_is_none_is_refused_with_the_reason(world: World) -> None:
    await start(world)
    cli = Cli(world)
    later = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
    for arguments, reason in [
        (("x", "--person", "p", "--at", later), "or send the event once it has happened"),
        (("x",), "person_id or an account_id"),
        (("x", "--person", "q"), "no person q"),
        (("x", "--person", "p", "--set", "y"), "FIELD=VALUE"),
        (("x", "--person", "p", "--set", "at=y"), "at is no field"),
        (("x", "--file", "-"), "--file FILE"),
        ((), "--file FILE"),
        (("--file", "none.jsonl"), "none.jsonl"),
    ]:
        said = await cli.run("event", "send", *arguments)
        assert said.returncode == 2, arguments
        assert reason in said.stderr
        assert "Traceback" not in said.stderr
    assert await world.platform.fetchval("select count(*) from activities") == 0


async def test_event_is_refused_from_the_sixth_minute_ahead(world: World) -> None:
    await start(world)
    at = world.now
    events = [
        EventRow(f"e{n}", "x", at + AHEAD + timedelta(microseconds=n), None, "p", {}, n)
        for n in (-1, 0, 1)
    ]
    recorded = await record_events(world.platform, events, at)
    assert recorded.new == {0, 1}
    assert "more than 5 minutes ahead" in recorded.refused[2]


async def test_line_that_never_ends_is_one_bad_row(world: World) -> None:
    await start(world)
    good = json.dumps(GOOD)
    path = world.folder / "events.jsonl"
    path.write_text(f"{good}\n{'x' * (3 * LONGEST_LINE)}\n{good}\n{'y' * (LONGEST_LINE + 1)}")
    said = await Cli(world).run("event", "send", "--file", str(path), "--format", "json")
    told = json.loads(said.stdout)
    assert (told["recorded"], told["repeated"]) == (1, 1)
    assert [one["line"] for one in told["problems"]] == [2, 4]


async def test_senders_of_the_same_events_in_other_orders_take_turns(world: World) -> None:
    await start(world)
    events = [EventRow(f"e{n}", "x", world.now, None, "p", {}, n) for n in range(500)]
    for _ in range(4):
        answers = await asyncio.gather(
            *(
                record_events(world.platform, one, world.now)
                for one in (events, events[::-1], events[250:] + events[:250])
            )
        )
        assert sum(len(answer.new) for answer in answers) == 500
        order = await world.platform.fetch("select external_id from activities order by id")
        assert {row["external_id"] for row in order} == {event.id for event in events}
        await world.platform.execute("delete from activities")


async def test_events_of_one_instant_keep_the_order_they_were_said_in(world: World) -> None:
    await start(world)
    events = [EventRow(f"e{99 - n}", "x", world.now, None, "p", {}, n) for n in range(60)]
    await record_events(world.platform, events, world.now)
    rows = await world.platform.fetch("select external_id from activities order by at, id")
    assert [row["external_id"] for row in rows] == [event.id for event in events]
