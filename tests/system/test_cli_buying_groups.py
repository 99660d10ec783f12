"""Buying groups on the command line: finding them, changing them by hand, and what is said when it cannot be."""

import csv
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from tests.commands import Cli
from tests.groups import Groups
from tests.world import World


@pytest.fixture
async def cli(world: World) -> Cli:
    """The group of a: complete, at engaged; that of b: half a team, no stage yet."""
    groups = Groups(world.engage, world.now)
    await groups.open("grid", "storage")
    await groups.group(
        "a", name="=Acme", completeness="66.6666666666666667", engagement="40.5",
        stages=(("open", timedelta(days=9)), ("engaged", timedelta(days=2))),
        decision_maker="a1", practitioner="a2",
    )  # fmt: skip
    await groups.group("b", decision_maker="b1", completeness="50")
    await groups.group("b", "storage", influencer="b1")
    for account, people in {"a": ("a1", "a2", "a3"), "b": ("b1",)}.items():
        for person in people:
            await world.engage.execute(
                "insert into relations (id, account_id, person_id) select coalesce(max(id), 0) + 1, $1, $2 from relations",
                groups.accounts[account], await groups.person(person),
            )  # fmt: skip
    return Cli(world)


async def test_listing_for_people_programs_and_spreadsheets(cli: Cli, tmp_path: Path) -> None:
    table = await cli.say("buying-groups", "--solution-interest", "grid")
    assert " 67 " in table
    assert " 41 " in table
    rows = await cli.json("buying-groups", "--solution-interest", "grid")
    assert [(row["account"], row["completeness"]) for row in rows] == [
        ("a", 66.66666666666667), ("b", 50),
    ]  # fmt: skip
    file = tmp_path / "ready.csv"
    said = await cli.say("buying-groups", "--min-completeness", "60", "--export", str(file))
    assert said == f"1 group written to {file}\n"
    [exported] = csv.DictReader(StringIO(file.read_text()))
    assert (exported["account_id"], exported["name"]) == ("a", "'=Acme")
    assert (exported["completeness"], exported["empty_roles"]) == ("67", "influencer")
    assert await cli.say("buying-groups", "--min-completeness", "60", "--format", "csv") == file.read_text()  # fmt: skip
    unled = await cli.json("buying-groups", "--unassigned-role", "decision-maker")
    assert [(row["account"], row["solution_interest"]) for row in unled] == [("b", "storage")]


async def test_listing_says_which_name_is_wrong_and_what_to_swap(cli: Cli) -> None:
    for arguments, part in (
        ("--solution-interest gird", "did you mean grid"),
        ("--unassigned-role practicioner", "did you mean practitioner"),
        ("--stage engagd", "did you mean engaged"),
        ("--roles-template teem", "did you mean team"),
        ("--min-completeness 80 --max-completeness 20", "swap"),
        ("--export /nowhere/x.csv", "/nowhere"),
        ("--export x.csv --format json", "--export writes CSV"),
    ):
        assert part in await cli.refuse(2, "buying-groups", *arguments.split())


async def test_group_is_shown_with_members_roles_and_the_way_through_its_stages(
    cli: Cli, world: World
) -> None:
    shown = await cli.json("buying-group", "show", "a/grid")
    assert [(one["person"], one["role"]) for one in shown["member_list"]] == [
        ("a1", "decision-maker"), ("a2", "practitioner"),
    ]  # fmt: skip
    assert [(one["role"], one["people"], one["members_required"]) for one in shown["roles"]] == [
        ("decision-maker", 1, 1), ("practitioner", 1, 3), ("influencer", 0, 1),
    ]  # fmt: skip
    assert [(one["from"], one["to"]) for one in shown["history"]] == [
        (None, "open"), ("open", "engaged"),
    ]  # fmt: skip
    assert shown["velocity"] == {"moves": 1, "seconds_per_move": 7 * 24 * 3600}
    table = await cli.say("buying-group", "show", str(shown["group"]))
    assert "grid for =Acme" in table
    assert "1 of 3" in table
    assert "1 move, 7 days each" in table
    [on_page] = (await cli.json("account", "show", "a"))["buying_groups"]
    assert on_page["group"] == shown["group"]
    theirs = (await cli.json("person", "show", "b1"))["buying_groups"]
    assert {(one["solution_interest"], one["role"]) for one in theirs} == {
        ("grid", "decision-maker"), ("storage", "influencer"),
    }  # fmt: skip
    assert "nobody is" in await cli.say("account", "show", "b")


async def test_people_are_assigned_and_removed_by_hand_once(cli: Cli, world: World) -> None:
    assign = ["buying-group", "assign", "a/grid", "a3", "a2", "--role", "practitioner"]
    assert "a3 is practitioner" in await cli.say(*assign)
    again = await cli.json(*assign)
    assert {one["person"]: one["reason"] for one in again} == {
        "a3": "already-member", "a2": "already-member",
    }  # fmt: skip
    sources = {one["person"]: one["source"] for one in (await cli.json("buying-group", "show", "a/grid"))["member_list"]}  # fmt: skip
    assert sources == {"a1": "job", "a2": "manual", "a3": "manual"}
    assert "a3 is out" in await cli.say("buying-group", "remove", "a/grid", "a3")
    assert "is not in it" in await cli.say("buying-group", "remove", "a/grid", "a3")
    shown = await cli.json("buying-group", "show", "a/grid", "--removed")
    [removed] = [one for one in shown["member_list"] if one["removed_at"]]
    assert removed["person"] == "a3"
    types = await world.engage.fetch("select type, count(*) from activities group by 1")
    assert dict(types)["added_to_buying_group"] == 1
    assert dict(types)["removed_from_buying_group"] == 1


async def test_people_who_cannot_be_assigned_are_told_why(cli: Cli) -> None:
    role = ["--role", "practitioner"]
    stranger = await cli.refuse(1, "buying-group", "assign", "a/grid", "b1", *role)
    assert "b1: not of the account a" in stranger
    assert "did you mean practitioner" in await cli.refuse(
        2, "buying-group", "assign", "a/grid", "a1", "--role", "practicioner"
    )
    assert "nothing was changed" in await cli.refuse(
        2, "buying-group", "assign", "a/grid", "a1", "nobody", *role
    )
    many = [f"p{number}" for number in range(51)]
    assert "At most 50 people" in await cli.refuse(
        2, "buying-group", "assign", "a/grid", *many, *role
    )


async def test_group_is_not_found_with_a_remedy(cli: Cli) -> None:
    for group, part in (
        ("a/gird", "did you mean grid"),
        ("a/storage", "it has: grid"),
        ("nobody/grid", "No account nobody"),
        ("99999", "caravan buying-groups"),
        ("a", "ACCOUNT/SOLUTION-INTEREST"),
        ("9" * 40, "caravan buying-groups"),
    ):
        assert part in await cli.refuse(2, "buying-group", "show", group)


async def test_stage_moves_along_its_model_and_says_where_it_may_go(cli: Cli) -> None:
    def stage(name: str, group: str = "a/grid") -> list[str]:
        return ["buying-group", "set-stage", group, name]

    assert "may go from engaged to ready or lost, not to open" in await cli.refuse(1, *stage("open"))  # fmt: skip
    assert "it has: open, engaged, ready, lost" in await cli.refuse(2, *stage("won"))
    assert "begins at open, not at ready" in await cli.refuse(1, *stage("ready", "b/grid"))
    assert "b/grid is at open" in await cli.say(*stage("open", "b/grid"))
    assert "a/grid is at ready" in await cli.say(*stage("ready"))
    assert "was at ready already" in await cli.say(*stage("ready"))
    assert "nothing leads on" in await cli.refuse(1, *stage("lost"))
    shown = await cli.json("buying-group", "show", "a/grid")
    assert (shown["history"][-1]["to"], shown["history"][-1]["source"]) == ("ready", "manual")


async def test_status_is_any_line_up_to_50_characters(cli: Cli) -> None:
    status = ["buying-group", "set-status", "a/grid"]
    assert "has the status Höt" in await cli.say(*status, "Höt")
    assert "already" in await cli.say(*status, "Höt")
    assert "this one has 51" in await cli.refuse(2, *status, "x" * 51)
    assert "one line" in await cli.refuse(2, *status, "a\nb")
    assert "has no status" in await cli.say(*status, "")
    assert (await cli.json("buying-group", "show", "a/grid"))["status"] is None


async def test_report_and_jobs_are_told_for_people_and_programs(cli: Cli, world: World) -> None:
    report = await cli.say("report", "buying-groups")
    for part in ("Groups by score", "Stagnant", "Coverage of roles", "In several groups: 1 person"):
        assert part in report
    told = await cli.json("report", "buying-groups", "--solution-interest", "grid")
    assert [band["completeness"] for band in told["bands"]] == [0, 0, 2, 0]
    assert told["fastest"][0]["moves"] == 1
    assert "before it starts" in await cli.refuse(
        2, "report", "buying-groups", "--from", "2026-03-02", "--to", "2026-03-01"
    )
    assert "no jobs" in await cli.say("buying-group", "jobs")


async def test_plan_is_told_for_people_and_programs(cli: Cli, world: World) -> None:
    """The factory's template is on no disk: the workspace changes its roles, its stages and their groups."""
    documents = """
roles_template: team
roles:
  - {role: decision-maker, required: true, when: {person: {job_title: Chief}}}
---
stage_model: sales
stages:
  - {stage: open, entry: true, to: [ready]}
  - {stage: ready, success: true}
---
solution_interest: grid
roles_template: team
stage_model: sales
---
buying_groups: all
solution_interest: grid
audience: everyone
"""
    await world.engage.execute(
        "insert into buying_group_jobs (slug, solution_interest, audience, asks, stored_at, flow_at)"
        " values ('all', 'grid', 'everyone', '{}', $1, $1)",
        world.now,
    )
    world.workspace(documents)
    told = await cli.say("plan", str(world.folder))
    for part in (
        "decision-maker: weight normal (was vital)",
        "role practitioner is gone",
        "stage engaged is gone",
        "2 groups with another stage model",
        "1 group on the stage engaged, which the model will not have",
    ):
        assert part in told
    plan = await cli.json("plan", str(world.folder))
    assert plan["changes"] is True
    [grid] = plan["solution_interests"]
    assert (grid["lacking"], grid["removed"]) == ({"engaged": 1}, 3)
    assert "no folder" in await cli.refuse(2, "plan", "/nowhere")
