"""Records of several sources that are one: only where a rule says so, told of, and taken apart again."""

from datetime import timedelta

from tests.identifying import Record, bring, records, unmerge, with_rules
from tests.world import World

CRM = "person_id,email,first_name,job_title,account_id,roles\n17,Ada@acme.example,Ada,Engineer,1,buyer\n"
WEB = "person_id,email,first_name,city\n3,ada@ACME.example,Ada L,Oslo\n"
ACCOUNTS = "account_id,name,domain,industry\n1,Acme,acme.example,Energy\n"


async def test_sources_keep_their_ids_and_nothing_is_one_without_a_rule(world: World) -> None:
    await bring(world, "crm", "accounts.csv", ACCOUNTS)
    await bring(world, "crm", "people.csv", CRM)
    report = await bring(world, "web", "people.csv", WEB)
    assert (report.new, report.merged) == (1, 0)
    assert {*(await records(world.platform))} == {"crm:17", "web:3"}
    rows = await world.platform.fetch(
        "select source, external_id, cells from source_rows where entity = 'people' order by source"
    )
    assert [(row["source"], row["external_id"], row["cells"]["first_name"]) for row in rows] == [
        ("crm", "crm:17", "Ada"),
        ("web", "web:3", "Ada L"),
    ]


async def test_rule_makes_one_of_two_and_says_by_what(world: World) -> None:
    await with_rules(world)
    await bring(world, "crm", "accounts.csv", ACCOUNTS)
    await bring(world, "crm", "people.csv", CRM)
    report = await bring(world, "web", "people.csv", WEB, at=world.now + timedelta(seconds=9))
    [match] = report.matches
    assert (match.rule, match.record, match.like, match.matched) == (
        "people-by-email", "web:3", "crm:17", {"email": "ada@acme.example"},
    )  # fmt: skip
    assert await records(world.platform) == {
        "crm:17": Record(
            {
                "email": "ada@ACME.example",
                "first_name": "Ada L",
                "job_title": "Engineer",
                "city": "Oslo",
            },
            frozenset({"crm:17", "web:3"}),
        )
    }
    row = await world.platform.fetchrow("select rule, matched, source from merges")
    assert tuple(row) == ("people-by-email", {"email": "ada@acme.example"}, "web")


async def test_rule_that_comes_later_looks_at_who_is_there(world: World) -> None:
    await bring(world, "web", "people.csv", WEB)
    await bring(world, "crm", "accounts.csv", ACCOUNTS)
    await bring(world, "crm", "people.csv", CRM)
    await with_rules(world)
    assert {one.of for one in (await records(world.platform)).values()} == {
        frozenset({"crm:17", "web:3"})
    }


async def test_records_are_restored_field_by_field_and_stay_apart(world: World) -> None:
    await bring(world, "crm", "accounts.csv", ACCOUNTS)
    await bring(world, "crm", "people.csv", CRM)
    await bring(world, "web", "people.csv", WEB, at=world.now + timedelta(seconds=9))
    before = await records(world.platform)
    await with_rules(world)
    assert len(await records(world.platform)) == 1
    world.pass_time(minutes=1)
    assert await unmerge(world, "person", "web:3") == 2
    assert await records(world.platform) == before
    await with_rules(world)
    again = await bring(world, "web", "people.csv", WEB + "4,bo@acme.example,Bo,\n")
    assert (again.new, again.merged) == (1, 0)
    assert {*await records(world.platform)} == {"crm:17", "web:3", "web:4"}


async def test_relations_and_opportunities_follow_and_come_back(world: World) -> None:
    await bring(world, "crm", "accounts.csv", ACCOUNTS)
    await bring(
        world, "erp", "accounts.csv", "account_id,name,domain\n9,ACME Inc,www.acme.example\n"
    )
    await bring(world, "crm", "people.csv", CRM)
    await bring(
        world, "erp", "people.csv",
        "person_id,email,account_id,roles\n5,ada@acme.example,9,user\n6,cy@acme.example,9,owner\n",
    )  # fmt: skip
    await bring(world, "erp", "opportunities.csv", "opportunity_id,account_id,name\nd,9,Deal\n")
    event = '{"id": "e", "type": "form_filled", "at": "2026-01-01T00:00:00Z", "person_id": "5"}\n'
    await bring(world, "erp", "events.jsonl", event)

    async def standing() -> list[object]:
        relations = await world.platform.fetch(
            "select a.external_id as a, p.external_id as p, r.attributes -> 'roles' as roles from relations r"
            " join accounts a on a.id = r.account_id join people p on p.id = r.person_id"
            " where r.deleted_at is null order by 1, 2"
        )
        others = await world.platform.fetch(
            "select a.external_id from opportunities o join accounts a on a.id = o.account_id"
            " union all select p.external_id from activities v join people p on p.id = v.person_id"
        )
        return [*(tuple(row) for row in relations), *(row["external_id"] for row in others)]

    before = await standing()
    assert before == [
        ("crm:1", "crm:17", ["buyer"]), ("erp:9", "erp:5", ["user"]), ("erp:9", "erp:6", ["owner"]),
        "erp:9", "erp:5",
    ]  # fmt: skip
    await with_rules(world)
    assert await standing() == [
        ("crm:1", "crm:17", ["buyer", "user"]), ("crm:1", "erp:6", ["owner"]), "crm:1", "crm:17",
    ]  # fmt: skip
    # a row about one of them is about the relation of both
    await bring(world, "erp", "relations.csv", "account_id,person_id,roles\n9,5,champion\n")
    assert (await standing())[0] == ("crm:1", "crm:17", ["buyer", "champion"])
    await unmerge(world, "person", "erp:5")
    assert (await standing())[:2] == [
        ("crm:1", "crm:17", ["buyer"]), ("crm:1", "erp:5", ["champion"]),
    ]  # fmt: skip
    await unmerge(world, "account", "crm:1")
    assert await standing() == [
        ("crm:1", "crm:17", ["buyer"]), ("erp:9", "erp:5", ["champion"]), ("erp:9", "erp:6", ["owner"]),
        "erp:9", "erp:5",
    ]  # fmt: skip
