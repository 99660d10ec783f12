"""What people see of personas: titles with what they came to, a person's, and a roles template that is proposed."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.title_reading import reading_titles
from caravan.journeys.workspace import load_workspace
from caravan.personas.embedding import TitlesUnread, Vector
from caravan.platform import personas, sql
from starter.personas import tell_personas
from tests.commands import Cli
from tests.grouping import Grouping
from tests.simulating import Simulating, path
from tests.store.test_personas import ACCOUNTS, EVERYBODY, PEOPLE, PERSONAS, Deaf, change, told
from tests.world import EMBEDDER, World

TEAM = """
roles_template: team
roles:
  - {role: decision-maker, weight: vital, required: true, when: {person: {persona: chief}}}
  - {role: practitioner, when: {person: {persona: coder}}}
---
"""
GROUPS = """
solution_interest: grid
roles_template: team
---
buying_groups: everybody
solution_interest: grid
audience: everyone
---
"""
STRANGE = """person_id,email,job_title,account_id
p1,p1@x.example,"Chef de ""projet"" : # {achats}  ",a1
p2,p2@x.example,Web developer: back	end,a2
p3,p3@x.example,🚀 Software Engineer\u00a0Lead,a2
"""
PLAIN = """
journey: plain
audience: everyone
schedule: {end: 30 days}
start: rest
nodes:
  rest: {wait: 3 days}
"""
TRIP = """
journey: trip
audience: everyone
schedule: {end: 30 days}
start: who
nodes:
  who:
    split: accounts
    paths:
      - {label: Chiefs, when: {people: {when: {person: {persona: chief}}, at_least: 1}}, next: chiefs}
    otherwise: nobody
  chiefs: {wait: 5 days, next: nobody}
  nobody: {do: []}
"""


class Exhausted:
    """Reads once, which is the personas' examples."""

    model = EMBEDDER.model

    def __init__(self) -> None:
        self.has_read = False

    async def vectors(self, texts: Sequence[str]) -> Mapping[str, Vector]:
        if self.has_read:
            raise TitlesUnread("no memory is left")
        self.has_read = True
        return await EMBEDDER.vectors(texts)


@pytest.fixture
def cli(world: World) -> Cli:
    return Cli(world, CARAVAN_HOME=str(world.folder / "home"))


async def with_people(world: World, documents: str) -> None:
    workspace = world.workspace(documents)
    await world.tell_personas(workspace)
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    await world.store(workspace)


async def test_titles_are_listed_with_persona_score_and_alternatives(
    world: World, cli: Cli
) -> None:
    await with_people(world, PERSONAS)
    rows = json.loads((await cli.run("ai", "titles", "--format", "json")).stdout)
    assert [(row["title"], row["people"], row["persona"]) for row in rows] == [
        ("chief executive officer", 2, "chief"),
        ("java developer", 1, "coder"),
        ("zxcv 12345", 1, None),
    ]
    assert [one["persona"] for one in rows[0]["alternatives"]] == ["chief", "coder"]
    assert rows[0]["score"] == rows[0]["alternatives"][0]["score"]
    only = await cli.run("ai", "titles", "--persona", "coder")
    assert "java developer" in only.stdout
    assert "chief executive" not in only.stdout
    unclear = await cli.run("ai", "titles", "--unclear")
    assert "zxcv 12345" in unclear.stdout
    assert "java" not in unclear.stdout
    wrong = await cli.run("ai", "titles", "--persona", "boss")
    assert wrong.returncode == 2
    assert "No persona boss; there are chief, coder" in wrong.stderr


async def test_a_title_that_nobody_has_read_is_said_to_wait(world: World, cli: Cli) -> None:
    await with_people(world, PERSONAS)
    await change(world, "p2", "Frontend engineer")
    listed = await cli.run("ai", "titles")
    assert "not read yet" in listed.stdout
    assert "still to be looked at" in listed.stderr


async def test_a_person_is_shown_with_persona_and_what_it_was_told_from(
    world: World, cli: Cli
) -> None:
    await with_people(world, PERSONAS + TRIP)
    await world.enter(await world.publish(world.read(), "trip"))
    shown = json.loads((await cli.run("person", "show", "p2", "--format", "json")).stdout)
    assert shown["persona"]["persona"] == "coder"
    assert [one["persona"] for one in shown["persona"]["alternatives"]] == ["coder", "chief"]
    assert "persona coder: nearest to" in (await cli.run("person", "show", "p2")).stdout
    assert "persona none: nearest to" in (await cli.run("person", "show", "p5")).stdout


async def proposed(world: World, cli: Cli, *options: str) -> dict[str, Any]:
    arguments = ("ai", "roles", "--solution-interest", "outage", "--dir", str(world.folder))
    ended = await cli.run(*arguments, "--format", "json", *options)
    assert ended.returncode == 0, ended.stderr
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


async def test_roles_are_proposed_by_persona_with_counts_and_nothing_is_written(
    world: World, cli: Cli
) -> None:
    await with_people(world, PERSONAS)
    answer = await proposed(world, cli)
    assert answer["written"] is False
    assert not (world.folder / answer["file"]).exists()
    roles = {role["role"]: role for role in answer["roles"]}
    assert roles["practitioner"]["personas"] == ["coder"]
    assert [(one["title"], one["people"]) for one in roles["practitioner"]["titles"]] == [
        ("java developer", 1)
    ]
    [chiefs] = [role for role in answer["roles"] if role["personas"] == ["chief"]]
    assert (chiefs["people"], chiefs["accounts"]) == (2, 2)
    assert "chief executive officer (2; nearest to" in chiefs["why"]
    # one has no title, and one has a title that is like nothing
    assert (answer["people"], answer["covered"], answer["untitled"]) == (5, 3, 1)
    assert answer["coverage"] == 0.6
    assert [one["title"] for one in answer["unclear"]] == ["zxcv 12345"]


async def test_roles_ask_for_the_titles_where_there_are_no_personas(world: World, cli: Cli) -> None:
    await with_people(world, PLAIN)
    answer = await proposed(world, cli)
    roles = {role["role"]: role for role in answer["roles"]}
    assert not any(role["personas"] for role in answer["roles"])
    assert roles["executive-steering-committee"]["titles"][0]["title"] == "chief executive officer"
    assert '- "java developer"' in answer["text"]


@pytest.mark.parametrize("documents", [PERSONAS, ""], ids=["by persona", "by title"])
async def test_the_proposal_is_valid_and_catches_whom_it_says(
    world: World, cli: Cli, documents: str
) -> None:
    await with_people(world, documents + PLAIN)
    answer = await proposed(world, cli, "--write")
    assert answer["written"] is True
    with_it = load_workspace(world.folder, datetime.now(UTC))
    assert with_it.errors == []
    template = with_it.roles_templates["outage-roles"]
    assert [role.role for role in template.roles] == [role["role"] for role in answer["roles"]]
    world.workspace(documents + GROUPS.replace("team", "outage-roles") + PLAIN)
    await world.store(world.read())
    await world.enter(await world.publish(world.read(), "plain"))
    grouping = Grouping(world)
    await grouping.keep()
    rows = await world.engage.fetch(
        "select m.role, count(*) as people from buying_group_members m where m.removed_at is null group by 1"
    )
    assert {row["role"]: row["people"] for row in rows} == {
        role["role"]: role["people"] for role in answer["roles"] if role["people"]
    }


async def test_whatever_stands_in_a_title_the_proposal_reads_as_it_was_meant(
    world: World, cli: Cli
) -> None:
    workspace = world.workspace(PLAIN)
    await world.load(workspace, accounts=ACCOUNTS, people=STRANGE)
    answer = await proposed(world, cli, "--write")
    with_it = load_workspace(world.folder, datetime.now(UTC))
    assert with_it.errors == []
    asked = with_it.roles_templates["outage-roles"].model_dump_json()
    for spelling in [
        one for role in answer["roles"] for title in role["titles"] for one in title["spellings"]
    ]:
        assert json.dumps(spelling, ensure_ascii=False)[1:-1] in asked


async def test_a_file_that_is_there_is_left_alone(world: World, cli: Cli) -> None:
    await with_people(world, PERSONAS)
    await proposed(world, cli, "--write")
    before = (world.folder / "outage-roles.yaml").read_text(encoding="utf-8")
    arguments = ("ai", "roles", "--solution-interest", "outage", "--dir", str(world.folder))
    again = await cli.run(*arguments, "--write")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert (await proposed(world, cli))["written"] is False
    assert (world.folder / "outage-roles.yaml").read_text(encoding="utf-8") == before


async def test_what_cannot_be_proposed_says_why(world: World, cli: Cli) -> None:
    world.workspace(PERSONAS)
    arguments = ("ai", "roles", "--dir", str(world.folder), "--solution-interest")
    empty = await cli.run(*arguments, "outage")
    assert empty.returncode == 2
    assert "no people at accounts" in empty.stderr
    wrong = await cli.run(*arguments, "Not A Slug")
    assert wrong.returncode == 2


@pytest.mark.parametrize("documents", [PERSONAS, ""], ids=["by persona", "by title"])
async def test_a_proposal_where_nothing_can_be_read_is_refused_in_one_sentence(
    world: World, cli: Cli, monkeypatch: pytest.MonkeyPatch, documents: str
) -> None:
    await with_people(world, documents + PLAIN)
    monkeypatch.setattr("starter.ai_roles.embedder", Deaf)
    arguments = ("ai", "roles", "--dir", str(world.folder), "--solution-interest", "outage")
    assert await cli.refuse(2, *arguments) == "caravan: nothing can be read here\n"


async def test_who_bears_a_title_too_seldom_to_be_read_is_not_said_to_have_none(
    world: World, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.ai_roles.MOST_TITLES", 1)
    await with_people(world, PLAIN)
    answer = await proposed(world, cli)
    assert (answer["people"], answer["covered"]) == (5, 2)
    assert (answer["untitled"], answer["not_looked_at"]) == (1, 2)
    arguments = ("ai", "roles", "--solution-interest", "outage", "--dir", str(world.folder))
    said = (await cli.run(*arguments)).stdout
    assert "1 without a title; 2 with titles that were not looked at" in said


async def test_titles_whose_persona_is_known_are_all_looked_at(
    world: World, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.ai_roles.MOST_TITLES", 1)
    await with_people(world, PERSONAS)
    answer = await proposed(world, cli)
    assert (answer["people"], answer["covered"]) == (5, 3)
    assert (answer["untitled"], answer["not_looked_at"]) == (1, 0)


async def test_a_title_comes_once_from_the_store_however_many_accounts_have_it(
    world: World,
) -> None:
    await with_people(world, PERSONAS)
    rows = await sql.fetch(world.platform, "titles_at_accounts", audiences=[])
    assert [row["title"] for row in rows] == [
        "chief executive officer", "java developer", "zxcv 12345", None,
    ]  # fmt: skip
    assert [row["people"] for row in rows] == [[1, 1], [1], [1], [1]]
    assert rows[0]["spellings"] == ["  chief   executive officer ", "chief executive officer"]
    assert "vector" not in rows[0].keys()  # noqa: SIM118


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        (PERSONAS, PERSONAS.replace("chief", "boss")),
        (PERSONAS, PERSONAS.replace("VD, ", "")),
        (PERSONAS, ""),
        ("", PERSONAS),
    ],
    ids=["renamed", "other examples", "deleted", "new"],
)
async def test_roles_are_proposed_by_the_personas_of_the_workspace_or_not_at_all(
    world: World, cli: Cli, stored: str, written: str
) -> None:
    await with_people(world, stored + PLAIN)
    world.workspace(written + PLAIN)
    arguments = ("ai", "roles", "--dir", str(world.folder), "--solution-interest", "outage")
    said = await cli.refuse(2, *arguments)
    assert said == (
        "caravan: The personas of the workspace are not applied: run `caravan apply` first\n"
    )


async def test_a_proposal_says_how_many_people_are_still_in_question(
    world: World, cli: Cli
) -> None:
    await with_people(world, PERSONAS)
    arguments = ("ai", "roles", "--solution-interest", "outage", "--dir", str(world.folder))
    assert "in question" not in (await cli.run(*arguments)).stderr
    await change(world, "p4", "Frontend engineer")
    assert "1 person still in question" in (await cli.run(*arguments)).stderr


async def test_groups_follow_a_template_by_persona(world: World) -> None:
    await with_people(world, PERSONAS + TEAM + GROUPS + TRIP)
    await world.enter(await world.publish(world.read(), "trip"))
    grouping = Grouping(world)
    await grouping.keep()

    async def members() -> dict[str, str]:
        rows = await world.engage.fetch(
            "select p.external_id, m.role from buying_group_members m join people p on p.id = m.person_id"
            " where m.removed_at is null"
        )
        return {row["external_id"]: row["role"] for row in rows}

    assert await members() == {
        "p1": "decision-maker", "p2": "practitioner", "p3": "decision-maker",
    }  # fmt: skip
    await change(world, "p4", "Senior Java developer")
    await personas.read_all(world.platform, EMBEDDER, world.now)
    await world.follow()
    await grouping.keep()
    assert (await members())["p4"] == "practitioner"


async def test_a_worker_reads_what_comes_up_beside_its_stream(world: World) -> None:
    await with_people(world, PERSONAS)
    async with reading_titles(world.platform, EMBEDDER):
        await change(world, "p4", "Embedded software developer")
        for _ in range(400):
            if (await told(world.platform))["p4"] == "coder":
                break
            await asyncio.sleep(0.05)
    assert await told(world.platform) == EVERYBODY | {"p4": "coder"}


async def test_a_worker_that_cannot_read_lets_everything_else_go_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await with_people(world, PERSONAS)
    async with reading_titles(world.platform, Deaf()):
        await change(world, "p4", "Embedded software developer")
        await asyncio.sleep(0.8)
    assert await told(world.platform) == EVERYBODY
    assert await personas.unread(world.platform) == 1


async def test_apply_where_nothing_can_be_read_says_so_and_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("starter.personas.embedder", Deaf)
    workspace = world.workspace(PERSONAS)
    await tell_personas(world.platform, list(workspace.personas.values()))
    assert "nothing can be read here" in capsys.readouterr().err
    await world.load(workspace, accounts=ACCOUNTS, people=PEOPLE)
    assert await told(world.platform) == dict.fromkeys(EVERYBODY)


async def test_a_simulation_tells_people_apart_also_by_titles_that_change(
    simulating: Simulating,
) -> None:
    workspace = simulating.workspace(
        PERSONAS + TRIP,
        accounts=ACCOUNTS + "a3,Core\na4,Dock\n",
        people=PEOPLE + "p6,p6@x.example,Web designer and coder,a3\np7,p7@x.example,,a4\n",
    )
    promoted = '{"at": "2026-03-02T08:00:00Z", "change": "person", "id": "p7", "set": {"job_title": "CEO of Dock"}}'
    came = await simulating(workspace, "trip", promoted)
    assert path(came, "a1")[:2] == ["who", "chiefs"]
    assert path(came, "a2")[:2] == ["who", "chiefs"]
    assert path(came, "a3")[:2] == ["who", "nobody"]
    assert path(came, "a4")[:2] == ["who", "chiefs"]
    again = await simulating(workspace, "trip", promoted)
    assert [line.body for line in again.lines] == [line.body for line in came.lines]


async def test_a_simulation_where_nothing_can_be_read_goes_on_without_personas(
    simulating: Simulating,
) -> None:
    workspace = simulating.workspace(PERSONAS + TRIP, accounts=ACCOUNTS, people=PEOPLE)
    came = await simulating(workspace, "trip", embedder=Deaf())
    assert path(came, "a1")[:2] == ["who", "nobody"]
    assert came.ran.titles_unread == "nothing can be read here"


async def test_a_simulation_tells_why_titles_were_left_unread_where_only_the_examples_could_be_read(
    simulating: Simulating,
) -> None:
    workspace = simulating.workspace(PERSONAS + TRIP, accounts=ACCOUNTS, people=PEOPLE)
    came = await simulating(workspace, "trip", embedder=Exhausted())
    assert path(came, "a1")[:2] == ["who", "nobody"]
    assert came.ran.titles_unread == "no memory is left"
    assert (await simulating(workspace, "trip")).ran.titles_unread is None
