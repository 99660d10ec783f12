"""The engage store follows what becomes one in the Platform, and what parts again."""

from datetime import timedelta

import pytest

from caravan.campaigns import consents, permission, person_erasure, personal_data
from caravan.campaigns.candidates import Candidate
from caravan.database.erasures import ErasureKey
from caravan.platform import convergence, deletion, sync
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
    assert [tuple(row) for row in rows] == [("crm:1", "account-merged"), ("erp:9", None)]
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
            world.platform, world.catalog, world.now, lambda *_: None, KEY, whose=FileSource(name)
        )
        report = await importer.file(path)
        assert [bad.reason for bad in report.bad] == ["erased"]


async def differing(world: World) -> list[convergence.Difference]:
    await world.follow()
    await drain(world)
    await world.follow()
    found = await convergence.compare(world.engage, world.platform, world.munchkin, again=0)
    return found.differences


async def there(world: World) -> list[str]:
    """The people who are, as both stores have it, by the least of their ids."""
    here, platform = await records(world.engage), await records(world.platform)
    assert sorted(here) == sorted(platform)
    return sorted(here)


async def gone_from(world: World, source: str, people: str, gone: str = "true") -> None:
    """A file of a source in which its person is deleted, or there again."""
    world.pass_time(minutes=1)
    header, row = people.splitlines()
    await bring(world, source, "people.csv", f"{header},is_deleted\n{row},{gone}\n")


async def test_deletion_is_each_records_own_word_and_the_one_is_gone_when_all_are(
    both_inside: World,
) -> None:
    world = both_inside
    await make_one(world)
    for source, people in (("crm", PEOPLE), ("erp", OTHER_PEOPLE)):
        # one that says again that its record is there does not take it out of the one it is part of
        await gone_from(world, source, people, gone="false")
        assert await differing(world) == []
        assert await told(world, "people") == [("crm:17", True, "erp:5"), ("erp:5", False, None)]
    await gone_from(world, "erp", OTHER_PEOPLE)
    assert await differing(world) == []
    assert await there(world) == ["crm:17"]
    await gone_from(world, "crm", PEOPLE)
    assert await differing(world) == []
    assert await there(world) == []
    await gone_from(world, "crm", PEOPLE, gone="")
    assert await differing(world) == []
    assert await there(world) == ["crm:17"]
    # apart each is as its source has it
    world.pass_time(minutes=1)
    await unmerge(world, "person", "crm:17")
    assert await differing(world) == []
    assert await told(world, "people") == [("crm:17", False, None), ("erp:5", True, None)]


async def test_deletion_by_hand_is_of_all_records_that_are_one(both_inside: World) -> None:
    world = both_inside
    await make_one(world)
    for entity, key in (("person", "crm:17"), ("account", "crm:1")):
        for flag, gone in ((deletion.delete, True), (deletion.restore, False)):
            world.pass_time(minutes=1)
            async with world.platform.acquire() as conn, conn.transaction():
                found = await deletion.find(conn, entity, key)
                assert await flag(conn, entity, [found["id"]], world.now) == 2
                assert await flag(conn, entity, [found["id"]], world.now) == 0
            assert await differing(world) == []
            [alive] = [
                row[1]
                for row in await told(world, "people" if entity == "person" else "accounts")
                if row[2] is None
            ]
            assert alive is gone
    reasons = await world.engage.fetch("select reason from traversals order by 1")
    assert [row["reason"] for row in reasons] == ["account-deleted", "account-merged"]


async def test_older_word_of_a_file_undoes_no_later_deletion(both_inside: World) -> None:
    world = both_inside
    before = world.now.isoformat()
    await gone_from(world, "erp", OTHER_PEOPLE)
    world.pass_time(minutes=1)
    header, row = OTHER_PEOPLE.splitlines()
    await bring(world, "erp", "people.csv", f"{header},as_of\n{row},{before}\n")
    assert await differing(world) == []
    assert await there(world) == ["crm:17"]
    await bring(world, "erp", "people.csv", f"{header},as_of\n{row},{world.now.isoformat()}\n")
    assert await differing(world) == []
    assert await there(world) == ["crm:17", "erp:5"]


async def test_who_is_there_again_is_one_with_whom_rules_say(both_inside: World) -> None:
    world = both_inside
    await gone_from(world, "crm", PEOPLE)
    await make_one(world)
    assert await told(world, "people") == [("crm:17", True, None), ("erp:5", False, None)]
    await gone_from(world, "crm", PEOPLE, gone="")
    assert await differing(world) == []
    assert await told(world, "people") == [("crm:17", True, "erp:5"), ("erp:5", False, None)]


async def test_message_to_a_record_that_another_stands_for_is_skipped_as_that(
    both_inside: World,
) -> None:
    world = both_inside
    await make_one(world)
    rows = await world.engage.fetch("select id, external_id, attributes from people")
    asked = [Candidate(row["id"], row["attributes"]) for row in rows]
    async with world.engage.acquire() as conn, conn.transaction():
        reasons = await permission.may_mail(conn, asked, operational=True)
    assert {row["external_id"]: reasons[row["id"]] for row in rows} == {
        "crm:17": "person-merged", "erp:5": None,
    }  # fmt: skip
