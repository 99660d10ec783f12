"""The engage store follows what becomes one in the Platform, and what parts again."""

from datetime import timedelta

import pytest

from caravan.campaigns import consents, person_erasure, personal_data
from caravan.database.erasures import ErasureKey
from caravan.platform import sync
from caravan.platform.file_maps import FileSource
from caravan.platform.imports import Importer
from tests.identifying import RULES, bring, records, unmerge, with_rules
from tests.world import World

JOURNEY = """
journey: j
audience: everyone
schedule: {end: 30 days}
start: n
nodes:
  n: {listen: [{form_filled: {}}], next: o}
  o: {do: [{send_email: {template: hi}}], end: x}
---
people_list: guests
type: static
members: ["erp:5"]
"""
ACCOUNTS = "account_id,name,domain\n1,Acme,acme.example\n"
OTHER_ACCOUNTS = "account_id,name,domain\n9,ACME Inc,www.acme.example\n"
PEOPLE = "person_id,email,unsubscribed,email_consent,account_id\n17,ada@acme.example,,yes,1\n"
OTHER_PEOPLE = "person_id,email,unsubscribed,email_consent,account_id\n5,Ada@acme.example,yes,,9\n"
KEY = ErasureKey("k" * 40)


@pytest.fixture
async def both_inside(world: World) -> World:
    """Two accounts with a person each, inside a journey; no rule yet."""
    workspace = world.workspace(JOURNEY, ("hi",))
    await bring(world, "erp", "accounts.csv", OTHER_ACCOUNTS)
    await bring(world, "crm", "accounts.csv", ACCOUNTS)
    await bring(world, "erp", "people.csv", OTHER_PEOPLE)
    # said later, and still no permission for somebody who has opted out elsewhere
    await bring(world, "crm", "people.csv", PEOPLE, at=world.now + timedelta(seconds=9))
    world.pass_time(minutes=1)
    for traversal in await world.enter(await world.publish(workspace, "j")):
        await world.walk(traversal)
    await world.follow()
    return world


async def drain(world: World) -> None:
    while await sync.drain_page(world.engage, world.platform, world.munchkin, world.now):
        pass


async def make_one(world: World) -> None:
    world.pass_time(minutes=1)
    await with_rules(world, JOURNEY + "---\n" + RULES)
    await world.follow()


async def told(world: World, table: str) -> list[tuple[str, bool, str | None]]:
    rows = await world.engage.fetch(
        f"select t.external_id, t.deleted_at is not null as gone, s.external_id as survivor"
        f" from {table} t left join {table} s on s.id = t.merged_into order by 1"
    )
    return [(row["external_id"], row["gone"], row["survivor"]) for row in rows]


async def test_loser_disappears_and_leaves_its_journeys(both_inside: World) -> None:
    world = both_inside
    await make_one(world)
    assert await told(world, "accounts") == [
        ("crm:1", True, "erp:9"), ("erp:9", False, None),
    ]  # fmt: skip
    assert await told(world, "people") == [("crm:17", True, "erp:5"), ("erp:5", False, None)]
    rows = await world.engage.fetch(
        "select a.external_id, t.reason from traversals t join accounts a on a.id = t.account_id order by 1"
    )
    assert [tuple(row) for row in rows] == [("crm:1", "removed"), ("erp:9", None)]
    assert await world.engage.fetchval("select count from entries where account_id = (select id from accounts where external_id = 'erp:9')") == 2  # fmt: skip
    related = await world.engage.fetch(
        "select a.external_id as a, p.external_id as p from relations r join accounts a on a.id = r.account_id"
        " join people p on p.id = r.person_id where r.deleted_at is null"
    )
    assert [tuple(row) for row in related] == [("erp:9", "erp:5")]


async def test_opt_out_of_either_stands_and_nobody_is_mailed(both_inside: World) -> None:
    world = both_inside
    await make_one(world)
    [person] = (await records(world.engage)).values()
    assert person.fields["unsubscribed"] is True
    await world.happen("form_filled", person="erp:5")
    for traversal in await world.engage.fetch("select id from traversals where ended_at is null"):
        await world.walk(traversal["id"])
    assert world.mailed() == []
    # who says yes to us afterwards is mailed again: it was said of both
    world.pass_time(minutes=1)
    await say(world, "erp:5", yes=True)
    await drain(world)
    await world.follow()
    [person] = (await records(world.engage)).values()
    assert person.fields.get("unsubscribed") is False
    # and a file that says the same as before does not take it back
    await bring(world, "erp", "people.csv", OTHER_PEOPLE + "6,x@acme.example,,,9\n")
    await world.follow()
    assert (await records(world.engage))["crm:17"].fields.get("unsubscribed") is False


async def say(world: World, person: str, *, yes: bool) -> None:
    async with world.engage.acquire() as conn, conn.transaction():
        number = await conn.fetchval("select id from people where external_id = $1", person)
        fields = {"unsubscribed": False, "email_consent": True} if yes else {"email_consent": False}
        await consents.set_fields(
            conn, world.plans, [number], fields, source="asked by phone", at=world.now
        )


async def test_what_the_loser_says_on_its_way_reaches_the_one_who_stands_for_it(
    both_inside: World,
) -> None:
    world = both_inside
    assert await unmerge(world, "person", "crm:17") == 0  # one with nobody yet
    # an unsubscribe link of a mail to the record that has gone, before this store knows
    await with_rules(world, JOURNEY + "---\n" + RULES)
    world.pass_time(minutes=1)
    await say(world, "crm:17", yes=False)
    await drain(world)
    await world.follow()
    [person] = (await records(world.engage)).values()
    assert person.fields["email_consent"] is False


async def test_parted_records_come_back_with_what_is_theirs(both_inside: World) -> None:
    world = both_inside
    before = {table: await records(world.engage, table) for table in ("accounts", "people")}
    await world.happen("form_filled", person="crm:17", form="before")
    await make_one(world)
    await world.happen("form_filled", person="erp:5", form="together")
    world.pass_time(minutes=1)
    await unmerge(world, "person", "crm:17")
    await unmerge(world, "account", "crm:1")
    await world.follow()
    assert {table: await records(world.engage, table) for table in ("accounts", "people")} == before
    assert {row[1] for row in await told(world, "people")} == {False}
    rows = await world.engage.fetch(
        "select p.external_id, v.fields ->> 'form' as form from activities v join people p on p.id = v.person_id"
        " where v.type = 'form_filled' order by 1"
    )
    assert [tuple(row) for row in rows] == [("crm:17", "before"), ("erp:5", "together")]
    listed = await world.engage.fetch(
        "select p.external_id from list_members m join people p on p.id = m.subject_id"
    )
    assert [row["external_id"] for row in listed] == ["erp:5"]


async def test_stores_agree_after_all_of_it(both_inside: World) -> None:
    world = both_inside
    await make_one(world)
    await say(world, "erp:5", yes=False)
    await drain(world)
    await unmerge(world, "person", "crm:17")
    await world.follow()
    await drain(world)
    await world.follow()
    for table in ("accounts", "people"):
        assert await records(world.engage, table) == await records(world.platform, table)
    # an opt-out said while they were one is of both
    assert [one.fields["email_consent"] for one in (await records(world.engage)).values()] == [False, False]  # fmt: skip


async def test_erased_is_erased_with_all_records_and_no_import_or_parting_brings_them_back(
    both_inside: World,
) -> None:
    world = both_inside
    await make_one(world)
    person = await personal_data.find(world.engage, world.platform, "crm:17")
    assert person is not None
    assert sorted(person.external_ids) == ["crm:17", "erp:5"]
    await person_erasure.erase_here(world.engage, world.plans, person, KEY, world.now)
    await person_erasure.erase_in_platform(world.platform, person, KEY, world.now)
    assert await unmerge(world, "person", f"erased-{person.id}") == 0
    for pool in (world.engage, world.platform):
        assert await pool.fetchval("select count(*) from people where erased_at is null") == 0
    held = await personal_data.held(world.platform, "platform", person)
    assert held["united"] == held["match_keys"] == held["source_rows"] == []
    for name in ("crm", "erp"):
        path = world.folder / "data" / name / "people.csv"
        importer = Importer(
            world.platform, world.catalog, world.now, lambda *_: None, KEY, FileSource(name)
        )
        report = await importer.file(path)
        assert [bad.reason for bad in report.bad] == ["erased"]
