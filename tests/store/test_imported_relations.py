"""Relations that two files speak of: people.csv by its shorthand, relations.csv in its own rows."""

from pathlib import Path
from typing import Any

import pytest

from caravan.journeys.workspace import Workspace
from caravan.platform import sql
from caravan.platform.import_report import FileReport
from tests.world import World

ACCOUNTS = "account_id,name\na,Acme\nb,Bolt\n"
PEOPLE = "person_id,email,job_title,account_id,roles\np,p@x.example,CTO,a,user\n"
RELATIONS = "account_id,person_id,roles\na,p,advisor;buyer\n"
MIGRATION = Path(__file__).parents[2] / "caravan/platform/sql/migrations/0013_shorthand.sql"


@pytest.fixture
async def workspace(world: World) -> Workspace:
    """Both files were imported, in their order."""
    workspace = world.workspace("")
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE, relations=RELATIONS)
    return workspace


async def roles(world: World, account: str = "a") -> Any:
    return await world.platform.fetchval(
        "select r.attributes -> 'roles' from relations r join accounts a on a.id = r.account_id"
        " where a.external_id = $1 and r.deleted_at is null",
        account,
    )


def counts(report: FileReport) -> tuple[int, int, int]:
    return report.new, report.changed, report.unchanged


async def test_files_that_have_not_changed_change_no_roles_and_tell_nobody(
    world: World, workspace: Workspace
) -> None:
    changes = await world.platform.fetchval("select count(*) from changes")
    for files in ({"people": PEOPLE}, {"relations": RELATIONS}, {"people": PEOPLE}):
        [report] = await world.load(workspace, **files)
        assert counts(report) == (0, 0, 1)
        assert await roles(world) == ["advisor", "buyer"]
    assert await world.platform.fetchval("select count(*) from changes") == changes


async def test_another_cell_of_the_person_leaves_the_roles_of_the_other_file(
    world: World, workspace: Workspace
) -> None:
    [report] = await world.load(workspace, people=PEOPLE.replace("CTO", "CIO"))
    assert counts(report) == (0, 1, 0)
    assert await roles(world) == ["advisor", "buyer"]


async def test_whichever_file_says_something_new_has_the_last_word_and_counts_it(
    world: World, workspace: Workspace
) -> None:
    [report] = await world.load(workspace, people=PEOPLE.replace(",user", ",champion"))
    assert (counts(report), await roles(world)) == ((0, 1, 0), ["champion"])
    [report] = await world.load(workspace, relations=RELATIONS.replace(";buyer", ""))
    assert (counts(report), await roles(world)) == ((0, 1, 0), ["advisor"])


async def test_row_that_only_names_another_account_is_a_changed_one(
    world: World, workspace: Workspace
) -> None:
    [report] = await world.load(workspace, people=PEOPLE.replace(",a,", ",b,"))
    assert counts(report) == (0, 1, 0)
    assert (await roles(world), await roles(world, "b")) == (["advisor", "buyer"], ["user"])


async def test_relation_that_was_deleted_stays_so_whatever_the_persons_row_says(
    world: World, workspace: Workspace
) -> None:
    await world.load(workspace, relations="account_id,person_id,is_deleted\na,p,true\n")
    for people in (PEOPLE, PEOPLE.replace(",user", ",champion")):
        await world.load(workspace, people=people)
        assert await roles(world) is None


async def test_of_rows_about_the_same_pair_the_last_says_whether_it_is_there(
    world: World, workspace: Workspace
) -> None:
    text = "account_id,person_id,roles,is_deleted\na,p,user,\na,p,user,true\n"
    await world.load(workspace, relations=text)
    assert await roles(world) is None


async def test_page_that_died_between_people_and_relations_is_done_as_a_whole_the_next_time(
    world: World,
) -> None:
    workspace = world.workspace("")
    await world.load(workspace, accounts=ACCOUNTS)
    await world.platform.execute("alter table relations add constraint broken check (false)")
    with pytest.raises(Exception, match="broken"):
        await world.load(workspace, people=PEOPLE)
    await world.platform.execute("alter table relations drop constraint broken")
    [report] = await world.load(workspace, people=PEOPLE)
    assert (counts(report), await roles(world)) == ((1, 0, 0), ["user"])


async def test_merged_people_keep_what_both_files_say_through_imports_of_the_same(
    world: World,
) -> None:
    workspace = world.workspace("identity: by-email\nof: people\nmatch: [email]\n")
    await world.store(workspace)
    people = PEOPLE + "q,p@x.example,CTO,a,champion\n"
    await world.load(workspace, accounts=ACCOUNTS, people=people, relations=RELATIONS)
    united = ["advisor", "buyer", "champion"]
    for files in ({}, {"people": people}, {"relations": RELATIONS}, {"people": people}):
        for report in await world.load(workspace, **files):
            assert counts(report)[:2] == (0, 0)
        assert await roles(world) == united


async def test_both_words_about_somebody_are_held_and_go_with_them(
    world: World, workspace: Workspace
) -> None:
    async with world.platform.acquire() as conn:
        held = await sql.fetch(conn, "personal_source_rows", external_ids=["p"])
        said = {row["held"]["external_id"] for row in held}
        assert said == {"p", '["a", "p"]', '["a", "p", "people.csv"]'}
        assert len(await sql.fetch(conn, "erase_source_rows", external_ids=["p"])) == 3


async def test_upgraded_store_knows_what_people_csv_said_last(world: World) -> None:
    """It was kept in the place of relations.csv's."""
    workspace = world.workspace("")
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    kept = "select jsonb_agg(to_jsonb(s) order by external_id) from source_rows s"
    now = await world.platform.fetchval(kept)
    await world.platform.execute(
        "update source_rows set external_id = '[\"a\", \"p\"]' where entity = 'relations'"
    )
    await world.platform.execute(MIGRATION.read_text(encoding="utf-8"))
    before = 'delete from source_rows where external_id = \'["a", "p"]\''
    await world.platform.execute(before)
    assert await world.platform.fetchval(kept) == now
