"""How the streams stand: what waits, how fast it moves, what went wrong and what holds it back."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities import draining, stream_log
from activities.audience_flow import AudienceFlowActivities
from activities.stream_log import StreamLog
from caravan.campaigns import audience_flow
from caravan.campaigns.stream_progress import ACTIVITIES, DOWN, STREAMS, UP, Standing, standings
from caravan.platform import sync
from tests.world import World
from workflows.contracts import AdmissionReply, AdmissionRequest

LISTS = """
account_list: large
type: dynamic
when: {account: {name: {is_not: Acme}}}
---
"""
JOURNEY = """
journey: j
audience: everyone
schedule: {end: 30 days}
start: n
nodes:
  n: {do: [{update_account: {field: source_type, value: nurtured}}], end: x}
"""


async def stands(world: World) -> dict[str, Standing]:
    found = await standings(world.engage, world.platform, world.munchkin, world.now)
    return {one.stream: one for one in found}


async def test_every_stream_tells_what_waits_and_since_when(world: World) -> None:
    workspace = world.workspace(JOURNEY)
    await world.load(workspace, accounts="account_id,name\na,Acme\nb,Bolt\n")
    world.pass_time(seconds=30)
    before = await stands(world)
    assert [*before, ACTIVITIES] == list(STREAMS)  # the last is not asked for
    written = await world.platform.fetchval("select min(written_at) from changes")
    assert (before[DOWN].waiting, before[DOWN].lag_seconds) == (2, (world.now - written).total_seconds())  # fmt: skip
    journey_id = await world.publish(workspace, "j")
    for traversal in await world.enter(journey_id):
        await world.walk(traversal)
    await world.follow()
    after = await stands(world)
    assert (after[DOWN].waiting, after[DOWN].lag_seconds) == (0, 0.0)
    assert (after[UP].waiting, after["admission"].waiting) == (2, 0)
    await world.load(workspace, accounts="account_id,name\nc,Core\n")
    await world.follow()
    assert (await stands(world))["admission"].waiting == 1


async def test_change_waits_since_it_was_written_however_old_what_it_says_is(world: World) -> None:
    workspace = world.workspace(JOURNEY)
    rows = "a,Acme,2019-01-01\nb,Bolt,2019-01-01\n"
    world.now = datetime.now(UTC)
    await world.load(workspace, accounts="account_id,name,as_of\n" + rows)
    world.pass_time(minutes=1)
    # the other way too: an old word that counts is said again by the store that has it
    await world.engage.execute(
        "insert into changes (entity, id, fields, as_of, origin)"
        " values ('account', 1, '{}', '2019-01-01', 'repair')"
    )
    found = await stands(world)
    assert [found[stream].waiting for stream in (DOWN, UP)] == [2, 1]
    assert 0 < found[DOWN].lag_seconds <= 60
    assert 0 <= found[UP].lag_seconds <= 60


async def test_rows_behind_a_long_transaction_are_told_and_whose_it_is(world: World) -> None:
    workspace = world.workspace(JOURNEY)
    async with world.platform.acquire() as other, other.transaction():
        await other.execute("select pg_current_xact_id()")
        await world.load(workspace, accounts="account_id,name\na,Acme\n")
        world.pass_time(seconds=60)
        await audience_flow.follow_page(world.engage, world.platform, world.plans, world.now)
        down = (await stands(world))[DOWN]
        assert (down.waiting, down.held_back) == (1, 1)
        assert down.held_back_by is not None
        assert "transaction" in down.held_back_by
    await world.follow()
    assert (await stands(world))[DOWN].waiting == 0


async def test_error_is_trouble_until_the_stream_has_moved_again_and_names_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = StreamLog(world.engage, UP)
    await log.failed(ConnectionError("relay refused ann@acme.example"))
    await log.failed(KeyError("ann@acme.example"))
    world.now += timedelta(seconds=1)
    up = (await stands(world))[UP]
    assert (up.errors, up.is_in_trouble) == (2, True)
    assert up.error is not None
    assert "acme" not in up.error
    monkeypatch.setattr(stream_log, "EVERY", 0)
    await log.moved(10)
    world.now += timedelta(seconds=1)
    up = (await stands(world))[UP]
    assert (up.errors, up.is_in_trouble) == (2, False)
    assert up.rate > 0
    world.pass_time(minutes=1)
    assert (await stands(world))[UP].rate == 0


async def test_up_tells_what_it_has_applied(world: World) -> None:
    workspace = world.workspace(JOURNEY)
    await world.load(workspace, accounts="account_id,name\na,Acme\n")
    for traversal in await world.enter(await world.publish(workspace, "j")):
        await world.walk(traversal)
    async with sync.up_flow(world.engage, world.platform, world.munchkin) as flow:
        while await flow.page(world.now):
            pass
    up = (await stands(world))[UP]
    assert (up.waiting, up.moved) == (0, 1)


async def test_accounts_of_a_new_journey_and_questions_of_lists_are_noted_as_streams_of_their_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "BUDGET", 0.5)
    flow = AudienceFlowActivities(world.stores, world.plans)
    workspace = world.workspace(LISTS + JOURNEY)
    await world.load(workspace, accounts="account_id,name\na,Acme\nb,Bolt\n")
    journey_id = await world.publish(workspace, "j")
    request = AdmissionRequest(munchkin=world.munchkin, journey_id=journey_id, as_of=world.now)
    await ActivityEnvironment().run(flow.build_segment, request)
    brought: AdmissionReply = await ActivityEnvironment().run(flow.bring_in, request)
    noted = await stands(world)
    assert (brought.accounts, noted["bring-in"].moved) == (2, 2)
    assert noted["bring-in"].moved_at is not None
    assert (noted["lists"].waiting, noted["lists"].moved) == (2, 0)
    await ActivityEnvironment().run(flow.follow, world.drain_request())
    lists = (await stands(world))["lists"]
    assert lists.waiting == 0
    assert lists.moved >= 2


async def test_page_that_fails_is_noted_and_fails(world: World) -> None:
    async def page() -> int:
        raise ConnectionError("away")

    with pytest.raises(ConnectionError):
        await StreamLog(world.engage, "bring-in").page(page)
    bringing = (await stands(world))["bring-in"]
    assert (bringing.errors, bringing.is_in_trouble) == (1, True)
