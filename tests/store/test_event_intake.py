"""Events that other systems send in, over real HTTP: who may, what is taken, and that it counts once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.engage import event_keys
from caravan.gateway.app import build_app
from caravan.gateway.events import LARGEST, MOST_EVENTS, BadEvents, read_events
from caravan.platform.event_lines import EventRow
from tests.service import Listening
from tests.world import World

AT = "2026-03-01T08:00:00Z"
JOURNEY = """
journey: ears
audience: everyone
schedule: {end: 30 days}
start: hear
nodes:
  hear: {listen: [{form_filled: {form: meeting}}], look_back: 300 days, timeout: {after: 1 day, end: silence}, end: heard}
"""


@pytest.fixture
async def gateway(world: World) -> AsyncIterator[Listening]:
    new = Listening(build_app(world.stores))
    await new.start()
    workspace = world.workspace(JOURNEY)
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )
    [world.traversal] = await world.enter(await world.publish(workspace, "ears"))  # type: ignore[attr-defined]
    yield new
    await new.stop()


async def post(
    gateway: Listening, key: str | None, said: Any = None, **given: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    headers |= given.pop("headers", {})
    if not given:
        given = {"json": said}
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        return await client.post(f"{gateway.url}/events", headers=headers, **given)


async def make_key(world: World, name: str = "forms") -> str:
    return await event_keys.new_key(world.engage, world.munchkin, name, datetime.now(UTC))


def filled(identity: str, **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "at": AT,
        "type": "form_filled",
        "person_id": "p",
        "form": "meeting",
    } | more


async def recorded(world: World) -> list[tuple[str, Any]]:
    rows = await world.platform.fetch("select external_id, fields from activities order by id")
    return [(row["external_id"], row["fields"]) for row in rows]


async def test_event_is_recorded_in_the_platform_and_is_heard(
    world: World, gateway: Listening
) -> None:
    await world.walk(world.traversal)  # type: ignore[attr-defined]
    answer = await post(gateway, await make_key(world), [filled("e1", page="x")])
    assert answer.status_code == 200
    assert answer.json() == {
        "recorded": 1,
        "repeated": 0,
        "refused": 0,
        "events": [{"id": "e1", "verdict": "recorded"}],
    }
    assert await recorded(world) == [("e1", {"form": "meeting", "page": "x"})]
    await world.follow()
    state = await world.walk(world.traversal)  # type: ignore[attr-defined]
    assert state.ended is not None
    assert state.ended.label == "heard"


async def test_each_event_of_a_batch_has_its_verdict(world: World, gateway: Listening) -> None:
    key = await make_key(world)
    assert (await post(gateway, key, filled("e0"))).json()["recorded"] == 1  # one alone
    batch = [
        filled("e1"),
        filled("e0"),
        filled("e2", person_id="q"),
        filled("e3", person_id=None, account_id="b"),
        filled("e1"),
        {"at": AT, "type": "x", "account_id": "a"},
        {"id": "e4", "at": "noon", "type": "x", "person_id": "p"},
        {"id": "e5", "at": AT, "person_id": "p"},
        {"id": "e6", "at": AT, "type": "x"},
        filled("e7", note="\x00"),
        "e8",
    ]
    answer = (await post(gateway, key, batch)).json()
    assert [one["verdict"] for one in answer["events"]] == [
        "recorded", "repeated", "refused", "refused", "repeated", "recorded",
        "refused", "refused", "refused", "refused", "refused",
    ]  # fmt: skip
    reasons = [one.get("reason") for one in answer["events"]]
    assert reasons[2:4] == ["no person q", "no account b"]
    assert (answer["recorded"], answer["repeated"], answer["refused"]) == (2, 2, 7)
    assert {one for one, _ in await recorded(world)} > {"e0", "e1"}
    again = (await post(gateway, key, batch)).json()
    assert (again["recorded"], again["repeated"], again["refused"]) == (0, 4, 7)


async def test_same_events_at_once_count_once(world: World, gateway: Listening) -> None:
    key = await make_key(world)
    batch = [filled(f"e{n}") for n in range(50)]
    answers = await asyncio.gather(*(post(gateway, key, batch) for _ in range(6)))
    assert sum(answer.json()["recorded"] for answer in answers) == 50
    assert len(await recorded(world)) == 50


async def test_who_has_no_key_that_holds_says_nothing(world: World, gateway: Listening) -> None:
    key = await make_key(world)
    other = f"other.{key.rpartition('.')[2]}"
    for wrong in (None, "x", key[:-1], key + "x", other, f"{world.munchkin}.", "x" * 300):
        answer = await post(gateway, wrong, [filled("e1")])
        assert answer.status_code in (401, 503), wrong
    basic = await post(
        gateway, None, json=[filled("e1")], headers={"Authorization": f"Basic {key}"}
    )
    assert basic.status_code == 401
    assert basic.headers["www-authenticate"] == "Bearer"
    assert await event_keys.revoke(world.engage, "forms", datetime.now(UTC))
    assert not await event_keys.revoke(world.engage, "forms", datetime.now(UTC))
    assert (await post(gateway, key, [filled("e1")])).status_code == 401
    assert await recorded(world) == []
    assert (await post(gateway, await make_key(world), [filled("e1")])).status_code == 200


async def test_keys_are_kept_as_digests_under_names_of_their_own(world: World) -> None:
    key = await make_key(world)
    with pytest.raises(event_keys.KeyNameTaken, match="forms"):
        await make_key(world)
    kept = await world.engage.fetch("select * from event_keys")
    assert key.rpartition(".")[2].encode() not in kept[0]["digest"]
    assert [(one.name, one.revoked_at) for one in await event_keys.keys(world.engage)] == [
        ("forms", None)
    ]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"content": b"[]"}, 415),
        ({"content": b"[]", "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"\xff", "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b'{"id": 1, "id": 2}', "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, 400),
        ({"json": [{}] * (MOST_EVENTS + 1)}, 400),
        ({"content": b" " * (LARGEST + 1), "headers": {"Content-Type": "application/json"}}, 413),
    ],
)
async def test_what_is_no_list_of_events_is_refused_as_a_whole(
    world: World, gateway: Listening, given: dict[str, Any], status: int
) -> None:
    answer = await post(gateway, await make_key(world), **given)
    assert answer.status_code == status
    assert answer.json()["status"] == "error"
    assert await recorded(world) == []


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "at", "type", "person_id", "x"]), inner),
    max_leaves=20,
).map(lambda said: json.dumps(said).encode()))  # fmt: skip
def test_any_body_is_read_or_refused(content: bytes) -> None:
    with suppress(BadEvents):
        events = read_events(content)
        assert events
        assert all(isinstance(event, EventRow) or event for event in events)
