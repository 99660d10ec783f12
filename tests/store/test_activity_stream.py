"""What happens in the engage store, told to the Platform: once each, nothing of groups, nothing back, heard by audiences."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from caravan.campaigns import audience_flow
from caravan.campaigns.forgetting import forget_some
from caravan.campaigns.stream_progress import ACTIVITIES, standings
from caravan.journeys.events import EVENTS, TOLD
from caravan.platform import activity_stream
from caravan.platform.restored import begin_anew
from caravan.platform.whole_evaluation import evaluate_whole
from caravan.retention import Retention
from tests.world import World

DOCUMENTS = """
audience: clickers
of: accounts
when: {account: {name: {empty: false}}, did: {event: email_clicked, where: {link: {contains: pricing}}}}
---
journey: j
audience: everyone
schedule: {end: 30 days}
start: n
nodes:
  n: {wait: 20 days}
"""

CLICKED = """
journey: c
audience: clickers
schedule: {end: 30 days}
start: n
nodes:
  n: {wait: 20 days}
"""


async def start(world: World) -> None:
    head = "workspace: ws\nactivities_to_platform: true\n"
    world.workspace("")
    text = (world.folder / "ws.yaml").read_text(encoding="utf-8")
    world.write("ws.yaml", text.replace("workspace: ws\n", head, 1) + DOCUMENTS)
    workspace = world.read()
    await world.load(
        workspace,
        accounts="account_id,name\na,Acme\nb,Beta\n",
        people="person_id,email,account_id\np,p@a.example,a\n",
    )
    await world.enter(await world.publish(workspace, "j"))


async def tell(world: World) -> int:
    return await activity_stream.tell_page(world.engage, world.platform, world.munchkin, world.now)


async def there(world: World) -> list[Any]:
    return list(
        await world.platform.fetch("select type, fields, from_engage from activities order by id")
    )


async def test_off_unless_the_workspace_says_so(world: World) -> None:
    await world.store(world.workspace(""))
    assert not await activity_stream.is_wanted(world.platform)
    await start(world)
    assert await activity_stream.is_wanted(world.platform)


async def test_told_once_with_what_conditions_ask_for_and_nothing_of_groups(world: World) -> None:
    await start(world)
    await world.happen(
        "email_clicked", person="p", link="https://x.example/pricing", message="<1@x>", journey="j"
    )
    await world.happen(
        "added_to_buying_group", person="p", account="a", solution_interest="grid", role="buyer"
    )
    await world.happen("buying_group_stage_changed", account="a", solution_interest="grid")
    await world.happen("account_interesting_moment", account="a", type="web")
    await world.happen("account_changed", account="a", field="city")
    assert await tell(world) == 2
    assert await tell(world) == 0
    told = [(row["type"], row["fields"], row["from_engage"]) for row in await there(world)]
    assert told == [
        ("email_clicked", {"link": "https://x.example/pricing"}, True),
        ("account_interesting_moment", {"type": "web"}, True),
    ]
    # read again from the beginning, as after a restore: nothing is told twice
    await begin_anew(world.engage, world.platform, world.munchkin)
    assert await tell(world) == 2
    assert len(await there(world)) == 2


async def test_audiences_ask_for_it_and_nothing_comes_back_down(world: World) -> None:
    await start(world)
    await world.follow()
    await world.happen("email_clicked", person="p", link="https://x.example/pricing")
    here = await world.engage.fetchval("select count(*) from activities")
    await tell(world)
    await evaluate_whole(world.platform, "clickers", world.now)
    members = "select a.external_id from audience_members m join accounts a on a.id = m.subject_id where m.audience = 'clickers'"
    assert [row["external_id"] for row in await world.platform.fetch(members)] == ["a"]
    # somebody who joins another account brings a history, and this is none
    workspace = world.read()
    world.pass_time(seconds=1)
    await world.load(workspace, relations="account_id,person_id,roles\nb,p,buyer\n")
    while await audience_flow.follow_page(world.engage, world.platform, world.plans, world.now):
        pass
    assert await world.engage.fetchval("select count(*) from relations") == 2
    assert await world.engage.fetchval("select count(*) from activities") == here


async def test_account_of_somebody_who_was_heard_enters_a_journey_of_that_audience(
    world: World,
) -> None:
    await start(world)
    world.write("c.yaml", CLICKED)
    await world.publish(world.read(), "c")
    await world.follow()
    await world.happen("email_clicked", person="p", link="https://x.example/pricing")
    assert await tell(world) == 1
    world.pass_time(seconds=5)
    await world.follow()
    queued = "select a.external_id from admissions q join accounts a on a.id = q.account_id"
    assert [row["external_id"] for row in await world.engage.fetch(queued)] == ["a"]


async def test_one_that_commits_late_is_not_skipped(world: World) -> None:
    await start(world)
    person = await world.engage.fetchval("select id from people")
    insert = "insert into activities (type, at, person_id) values ('email_sent', $1, $2)"
    async with world.engage.acquire() as slow:
        late = slow.transaction()
        await late.start()
        await slow.execute(insert, world.now, person)
        await world.engage.execute(insert, world.now + timedelta(seconds=1), person)
        assert await tell(world) == 0
        await late.commit()
    assert await tell(world) == 2


async def test_what_is_still_to_be_told_is_a_stream_of_its_own_and_does_not_grow_too_old(
    world: World,
) -> None:
    async def stands() -> tuple[int, int]:
        found = await standings(world.engage, world.platform, world.munchkin, world.now)
        [one] = [one for one in found if one.stream == ACTIVITIES]
        return one.waiting, one.moved

    forever = Retention(None, None, timedelta(days=90))

    async def forget() -> int:
        return await forget_some(
            world.engage, world.platform, world.munchkin, forever, world.now, seconds=10
        )

    await start(world)
    assert await stands() == (0, 0)
    await world.happen("email_delivered", person="p", template="hi")
    assert await stands() == (1, 0)
    world.pass_time(days=100)
    assert await forget() == 0
    assert await tell(world) == 1
    assert await stands() == (0, 1)
    assert await forget() == 2  # here and there


def test_the_index_and_the_query_speak_of_the_types_that_are_told() -> None:
    root = Path(__file__).parents[2] / "caravan"
    for file in (
        root / "engage/sql/migrations/0013_activities_in_order.sql",
        root / "platform/sql/activity_stream.sql",
    ):
        lists = re.findall(r"type in \(([^)]*)\)", file.read_text(encoding="utf-8"))
        assert lists
        for types in lists:
            assert set(re.findall(r"'(\w+)'", types)) == TOLD
    assert not any(EVENTS[name].of_group for name in TOLD)
