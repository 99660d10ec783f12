"""A record that has parted from others is judged by what it said itself, and the engage store follows."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caravan.campaigns import consents
from caravan.platform import convergence, sync
from caravan.platform.explaining import HERE, explain, find
from tests.identifying import RULES, bring, records, unmerge, with_rules
from tests.world import World

JOURNEY = """
journey: j
audience: everyone
schedule: {end: 30 days}
start: n
nodes:
  n: {listen: [{form_filled: {}}], end: x}
---
"""
ACCOUNTS = "account_id,name,domain\n{number},Acme,acme.example\n"
HEAD = "person_id,email,first_name,account_id,roles,is_deleted\n"
CRM = HEAD + "17,ada@acme.example,Ada,1,buyer,\n"
WEB = HEAD + "3,ADA@acme.example,{name},2,{role},\n"


async def web(world: World, name: str, role: str = "user", **since: float) -> Any:
    """The word of one source about its record, as old as is said."""
    text = WEB.format(name=name, role=role)
    return await bring(world, "web", "people.csv", text, at=world.now - timedelta(**since))


async def start(world: World) -> None:
    """Two records were one for a while, in which the later word was the one of `crm`, and have parted now."""
    for source, number in (("crm", 1), ("web", 2)):
        await bring(world, source, "accounts.csv", ACCOUNTS.format(number=number))
    await web(world, "A", minutes=60)
    await bring(world, "crm", "people.csv", CRM, at=world.now - timedelta(minutes=30))
    await world.enter(await world.publish(world.workspace(JOURNEY), "j"))
    await with_rules(world, JOURNEY + RULES)
    await world.follow()
    await unmerge(world, "person", "web:3")
    await unmerge(world, "account", "web:2")
    await world.follow()


async def names(pool: Any) -> dict[str, Any]:
    found = await records(pool)
    return {one: record.fields.get("first_name") for one, record in found.items()}


async def first_name(world: World, key: str) -> tuple[Any, str, str]:
    async with world.platform.acquire() as conn:
        explained = await explain(conn, (await find(conn, key))[0])
    [said] = [one for one in explained.fields if one.field == "first_name"]
    return said.value, said.record, said.source


async def agreed(world: World) -> None:
    found = await convergence.compare(world.engage, world.platform, world.munchkin)
    assert found.differences == []


async def test_edit_from_before_the_parting_counts_when_it_comes_behind_it(world: World) -> None:
    await start(world)
    assert await names(world.engage) == {"crm:17": "Ada", "web:3": "A"}
    world.pass_time(minutes=1)
    # one after the other, both older than the parting and later than what the record had said
    for name, minutes in (("Ada L", 20), ("Ada Lovelace", 10)):
        assert (await web(world, name, minutes=minutes)).changed == 1
        await world.follow()
        assert await names(world.platform) == {"crm:17": "Ada", "web:3": name}
        assert await names(world.engage) == {"crm:17": "Ada", "web:3": name}
    assert (await web(world, "Too old", minutes=50)).changed == 0
    assert (await names(world.platform))["web:3"] == "Ada Lovelace"


async def test_value_that_a_file_said_is_told_as_that_file_s_after_a_parting(world: World) -> None:
    await start(world)
    assert await first_name(world, "web:3") == ("A", "web:3", "web")
    await web(world, "Ada L", minutes=20)
    assert await first_name(world, "web:3") == ("Ada L", "web:3", "web")


async def test_what_is_said_here_of_a_parted_record_is_its_own_word(world: World) -> None:
    await start(world)
    for minute in (1, 2):
        world.pass_time(minutes=1)
        async with world.engage.acquire() as conn, conn.transaction():
            number = await conn.fetchval("select id from people where external_id = 'web:3'")
            said = {"unsubscribed": minute == 1}
            await consents.set_fields(conn, world.plans, [number], said, source="asked", at=world.now)  # fmt: skip
        while await sync.drain_page(world.engage, world.platform, world.munchkin, world.now):
            pass
        await world.follow()
        for pool in (world.engage, world.platform):
            assert (await records(pool))["web:3"].fields["unsubscribed"] is (minute == 1)
    async with world.platform.acquire() as conn:
        explained = await explain(conn, (await find(conn, "web:3"))[0])
    [said_of] = [one for one in explained.fields if one.field == "unsubscribed"]
    assert (said_of.record, said_of.source) == ("web:3", HERE)


async def test_record_that_has_parted_is_one_with_nobody_and_may_become_so_with_others(
    world: World,
) -> None:
    await start(world)
    assert await unmerge(world, "person", "web:3") == 0
    world.pass_time(minutes=1)
    text = "person_id,email,first_name\n8,Ada@acme.example,Late\n"
    joined = await bring(world, "shop", "people.csv", text)
    assert joined.merged == 1  # with one of the two that stay apart
    assert {len(one.of) for one in (await records(world.platform)).values()} == {1, 2}
    world.pass_time(minutes=1)
    assert await unmerge(world, "person", "shop:8") == 2
    await world.follow()
    assert await names(world.platform) == {"crm:17": "Ada", "web:3": "A", "shop:8": "Late"}
    await agreed(world)


async def test_role_and_deletion_of_before_the_parting_count_too(world: World) -> None:
    await start(world)
    world.pass_time(minutes=1)
    await web(world, "A", role="chief", minutes=20)
    await world.follow()
    asked = (
        "select r.attributes -> 'roles' from relations r join people p on p.id = r.person_id"
        " where p.external_id = 'web:3' and r.deleted_at is null"
    )
    for pool in (world.platform, world.engage):
        held = await pool.fetch(asked)
        assert [row[0] for row in held] == [["chief"]]
    gone = WEB.format(name="A", role="chief").rstrip(",\n") + ",true\n"
    await bring(world, "web", "people.csv", gone, at=world.now - timedelta(minutes=10))
    await world.follow()
    for pool in (world.platform, world.engage):
        assert set(await records(pool)) == {"crm:17"}
    await agreed(world)


@given(st.permutations(range(1, 7)), st.integers(1, 5), st.integers(0, 6), st.booleans())
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_later_word_stands_whenever_words_come(
    world: World, order: list[int], before: int, other: int, crm_first: bool
) -> None:
    """Words of `web`, some of them before the two were one and parted, in any order; one of `crm` between two of them."""
    number = await world.platform.fetchval("select count(*) from people") + 1
    head = "person_id,email,first_name,account_id\n"
    text = f"{number},p{number}@acme.example,%s,{number}\n"

    async def say(source: str, minute: float, name: str) -> None:
        at = world.now - timedelta(minutes=60 - minute)
        await bring(world, source, "people.csv", head + text % name, at=at)

    world.pass_time(hours=2)
    for source in ("crm", "web"):
        accounts = f"account_id,name,domain\n{number},{source},{source}{number}.example\n"
        await bring(world, source, "accounts.csv", accounts)
    said = [("web", minute, f"of {minute}") for minute in order[:before]]
    said.insert(0 if crm_first else before, ("crm", other + 0.5, "of crm"))
    for word in said:
        await say(*word)
    await world.enter(await world.publish(world.workspace(JOURNEY), "j"))
    await with_rules(world, JOURNEY + RULES)
    await world.follow()
    assert await unmerge(world, "person", f"web:{number}") == 2
    await world.follow()
    for minute in order[before:]:
        await say("web", minute, f"of {minute}")
        await world.follow()
        latest = max(order[: order.index(minute) + 1])
        for pool in (world.platform, world.engage):
            found = await names(pool)
            assert found[f"web:{number}"] == f"of {latest}"
            assert found[f"crm:{number}"] == "of crm"
