"""Jobs make groups and keep them: who is in them by the rules, as data and documents change."""

import pytest

from caravan.journeys.conditions import model
from caravan.journeys.documents.buying_groups import BuyingGroupsDocument
from caravan.journeys.documents.roles_template import TemplateRole
from tests.grouping import GRID, JOB, TEAM, Documents, Grouping, titled
from tests.world import World

ACCOUNTS = "account_id,name\na,Acme\nb,Bolt\nc,Coil\n"
PEOPLE = (
    "person_id,email,job_title,account_id\n"
    "a1,a1@x.example,Chief Buyer,a\n"
    "a2,a2@x.example,Engineer,a\n"
    "a3,a3@x.example,Clerk,a\n"
    "b1,b1@x.example,VP Chief of Engineers,b\n"
)


@pytest.fixture
async def grouping(world: World) -> Grouping:
    """Three accounts, one without people, and one job over all of them."""
    workspace = world.workspace("", ())
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    await world.store(workspace)
    grouping = Grouping(world)
    await grouping.store(Documents())
    await grouping.keep()
    return grouping


async def change(grouping: Grouping, **files: str) -> None:
    """Import and follow, as the streams do within a second; then answer what is in question."""
    grouping.world.pass_time(minutes=1)
    workspace = grouping.world.workspace("", ())
    await grouping.world.load(workspace, **files)
    await grouping.world.follow()
    await grouping.keep()


async def roles(grouping: Grouping, account: str) -> dict[str, str]:
    """Who is in the group of an account, as what."""
    members = await grouping.members(await grouping.group(account))
    return {person: role for person, (role, _, removed) in members.items() if not removed}


async def told(grouping: Grouping, kind: str) -> list[tuple[str | None, str]]:
    """The people, or without one the accounts, that something happened to, as it was recorded."""
    rows = await grouping.world.engage.fetch(
        "select p.external_id as person, a.external_id as account from activities v"
        " left join people p on p.id = v.person_id left join accounts a on a.id = v.account_id"
        " where v.type = $1 order by v.id",
        kind,
    )
    return [(row["person"], row["account"]) for row in rows]


async def test_a_group_for_every_account_with_the_first_role_that_fits(grouping: Grouping) -> None:
    assert await roles(grouping, "a") == {"a1": "decision-maker", "a2": "practitioner"}
    assert await roles(grouping, "b") == {"b1": "decision-maker"}
    groups = await grouping.world.engage.fetch(
        "select g.* from buying_groups g join accounts a on a.id = g.account_id order by a.external_id"
    )
    assert len(groups) == 3
    assert {group["kept_at"] for group in groups} == {grouping.world.now}
    assert {group["stage"] for group in groups} == {None}
    # c has nobody: a group all the same, and nothing of it is complete
    assert [round(group["completeness"]) for group in groups] == [67, 50, 0]
    added = await told(grouping, "added_to_buying_group")
    assert sorted(added) == [("a1", "a"), ("a2", "a"), ("b1", "b")]
    assert len(await told(grouping, "completeness_changed")) == 2


async def test_again_changes_nothing(grouping: Grouping) -> None:
    before = await grouping.world.engage.fetch("select * from buying_group_members")
    await grouping.upkeep()
    assert await grouping.world.engage.fetch("select * from buying_group_members") == before
    assert len(await told(grouping, "added_to_buying_group")) == 3


async def test_an_account_that_qualifies_later_gets_its_group(grouping: Grouping) -> None:
    await change(
        grouping,
        accounts="account_id,name\nd,Dyn\n",
        people="person_id,email,job_title,account_id\nd1,d1@x.example,Engineer,d\n",
    )
    assert await roles(grouping, "d") == {"d1": "practitioner"}


async def test_an_account_without_a_name_gets_none(grouping: Grouping) -> None:
    await change(grouping, accounts="account_id,name,industry\ne,,Energy\n")
    assert await grouping.world.engage.fetchval("select count(*) from buying_groups") == 3


async def test_a_person_who_changes_is_given_the_role_that_fits(grouping: Grouping) -> None:
    header = "person_id,email,job_title\n"
    await change(grouping, people=header + "a3,a3@x.example,Engineer\na1,a1@x.example,Clerk\n")
    assert await roles(grouping, "a") == {"a2": "practitioner", "a3": "practitioner"}
    assert await told(grouping, "removed_from_buying_group") == [("a1", "a")]
    # who was removed by the job comes back by the job
    await change(grouping, people=header + "a1,a1@x.example,Chief of all\na3,a3@x.example,VP\n")
    assert await roles(grouping, "a") == {
        "a1": "decision-maker",
        "a2": "practitioner",
        "a3": "decision-maker",
    }


async def test_a_role_follows_the_other_accounts_of_people(grouping: Grouping) -> None:
    read = model.InList(of="accounts", list="read-about", when=model.Did(type="page_visited"))
    champion = TemplateRole(
        role="champion", when=model.InList(of="people", list="at-readers", when=read)
    )
    template = TEAM.model_copy(update={"roles": (*TEAM.roles[:2], champion)})
    await change(grouping, relations="account_id,person_id\nb,a3\n")
    await grouping.store(Documents(roles_templates={"team": template}))
    await grouping.keep()
    assert "a3" not in await roles(grouping, "a")
    await grouping.world.happen("page_visited", account="b")
    await grouping.keep()
    assert (await roles(grouping, "b"))["a3"] == "champion"
    assert (await roles(grouping, "a"))["a3"] == "champion"
    await change(grouping, relations="account_id,person_id,is_deleted\nb,a3,true\n")
    assert "a3" not in await roles(grouping, "a")


async def test_a_role_counts_what_somebody_else_did_in_the_name_of_an_account(
    grouping: Grouping,
) -> None:
    read = model.InList(of="accounts", list="read-about", when=model.Did(type="page_visited"))
    template = TEAM.model_copy(update={"roles": (TemplateRole(role="champion", when=read),)})
    await grouping.store(Documents(roles_templates={"team": template}))
    await grouping.keep()
    await grouping.world.happen("page_visited", account="b", person="a3")
    await grouping.keep()
    assert await roles(grouping, "b") == {"b1": "champion"}


async def test_a_person_who_changes_accounts_changes_groups(grouping: Grouping) -> None:
    world = grouping.world
    a = await grouping.group("a")
    await grouping.assign(a, "champion", "manual", "a1")
    a1, b = await grouping.id_of("people", "a1"), await grouping.id_of("accounts", "b")
    at = world.now
    # to the other account, with the Platform's say
    await world.platform.execute(
        "update relations set deleted_at = $2 where person_id = $1", a1, at
    )
    await world.platform.execute(
        "insert into relations (id, account_id, person_id) select nextval('record_ids'), $1, $2",
        b,
        a1,
    )
    await world.platform.execute(
        "insert into changes (entity, id, as_of, origin) select 'relation', id, $2, 'import'"
        " from relations where person_id = $1",
        a1,
        at,
    )
    await world.follow()
    await grouping.keep()
    # whoever put them there: they are not of the account any more
    assert (await grouping.members(a))["a1"] == ("champion", "job", True)
    assert await roles(grouping, "b") == {"a1": "decision-maker", "b1": "decision-maker"}


async def test_a_new_version_of_the_template_is_followed(grouping: Grouping) -> None:
    clerks = TemplateRole(role="other", when=titled("Clerk"))
    firsts = TEAM.roles[0].model_copy(update={"when": titled("Head")})
    changed = TEAM.model_copy(update={"roles": (firsts, clerks, TEAM.roles[1])})
    await grouping.store(Documents(roles_templates={"team": changed}))
    before = await grouping.row(await grouping.group("a"))
    assert await roles(grouping, "a") == {"a1": "decision-maker", "a2": "practitioner"}
    await grouping.keep()
    after = await grouping.row(await grouping.group("a"))
    assert after["template_id"] > before["template_id"]
    assert await roles(grouping, "a") == {"a2": "practitioner", "a3": "other"}
    assert round(after["completeness"], 1) == round(before["completeness"] - 50, 1)


async def test_two_jobs_of_one_interest_share_the_groups(grouping: Grouping) -> None:
    world = grouping.world
    some = """audience: some
of: accounts
when: {account: {name: [Acme, Dyn]}}
"""
    await world.store(world.workspace(some, ()))
    second = BuyingGroupsDocument(buying_groups="some", solution_interest="grid", audience="some")
    await grouping.store(Documents(buying_group_jobs={"all": JOB, "some": second}))
    await grouping.keep()
    assert await world.engage.fetchval("select count(*) from buying_groups") == 3
    # one of the jobs goes: the groups are kept up as long as the other is there
    await grouping.store(Documents(buying_group_jobs={"some": second}))
    people = "person_id,email,job_title\na3,a3@x.example,Engineer\n"
    await world.load(world.workspace(some, ()), people=people)
    await world.follow()
    await grouping.keep()
    assert (await roles(grouping, "a"))["a3"] == "practitioner"


async def test_groups_of_a_deleted_job_stay_as_they_are(grouping: Grouping) -> None:
    await grouping.store(Documents(buying_group_jobs={}))
    people = "person_id,email,job_title\na3,a3@x.example,Engineer\n"
    await change(grouping, people=people)
    await grouping.upkeep()
    assert await roles(grouping, "a") == {"a1": "decision-maker", "a2": "practitioner"}
    # and follow again when it is back
    await grouping.store(Documents())
    await grouping.keep()
    assert (await roles(grouping, "a"))["a3"] == "practitioner"


async def test_a_person_may_be_in_many_groups(grouping: Grouping) -> None:
    world = grouping.world
    storage = GRID.model_copy(update={"solution_interest": "storage"})
    job = BuyingGroupsDocument(
        buying_groups="storage", solution_interest="storage", audience="everyone"
    )
    await grouping.store(
        Documents(
            solution_interests={"grid": GRID, "storage": storage},
            buying_group_jobs={"all": JOB, "storage": job},
        )
    )
    await grouping.keep()
    assert await world.engage.fetchval("select count(*) from buying_groups") == 6
    a1 = await grouping.id_of("people", "a1")
    count = "select count(*) from buying_group_members where person_id = $1 and removed_at is null"
    assert await world.engage.fetchval(count, a1) == 2
    # out of one is not out of the other
    await grouping.remove(await grouping.group("a", "storage"), "manual", "a1")
    await grouping.upkeep()
    assert await world.engage.fetchval(count, a1) == 1
    assert (await grouping.members(await grouping.group("a", "storage")))["a1"][2]


async def test_the_job_leaves_what_users_and_journeys_have_done(grouping: Grouping) -> None:
    group = await grouping.group("a")
    await grouping.assign(group, "champion", "journey", "a2", "a3")
    await grouping.remove(group, "manual", "a1")
    await grouping.upkeep()
    assert await roles(grouping, "a") == {"a2": "champion", "a3": "champion"}


async def test_what_a_journey_records_asks_at_once(grouping: Grouping) -> None:
    world = grouping.world
    waiting = "select count(*) from buying_group_questions"
    await world.happen("page_visited", person="a3")
    assert await world.engage.fetchval(waiting) == 0  # no role asks about it
    await world.happen("person_changed", person="a3", field="job_title")
    assert await world.engage.fetchval(waiting) == 1
