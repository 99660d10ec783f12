"""A user's way with sources: map, rehearse, import, explain, take apart, and let a folder grow."""

import json
from typing import Any

import pytest

from tests.commands import Cli
from tests.identifying import RULES, records
from tests.pairs import Pairs
from tests.world import World

MAP = """
source: crm
files:
  - file: kontakte*.csv
    holds: people
    separator: ";"
    columns: {Nr: person_id, Mail: email, Vorname: first_name, Geburt: date_of_birth, Stand: as_of}
    dates: {date_of_birth: "%d.%m.%Y"}
"""
FILE = (
    "Nr;Mail;Vorname;Geburt;Stand;Notiz\n"
    "17;Ada@acme.example;Ada;10.12.1815;2026-03-01T08:00:00Z;x\n"
    "18;bo@acme.example;Bo;1815-12-10;;x\n"
)


@pytest.fixture
async def cli(world: World) -> Cli:
    await world.store(world.workspace(RULES))
    web = "person_id,email,first_name,job_title\n3,ada@acme.example,Ada L,CTO\n"
    path = world.write("web/people.csv", web)
    world.write("crm/kontakte-1.csv", FILE)
    world.write("crm.map", MAP)
    cli = Cli(world)
    assert (await cli.run("import", str(path), "--source", "web")).returncode == 0
    return cli


def of_crm(world: World, *more: str) -> list[str]:
    folder = str(world.folder / "crm")
    return ["import", folder, "--source", "crm", "--map", str(world.folder / "crm.map"), *more]


async def test_files_of_other_names_without_a_map_are_told_of_it(world: World, cli: Cli) -> None:
    ended = await cli.run("import", str(world.folder / "crm"), "--source", "crm")
    assert ended.returncode == 2
    assert "--map FILE" in ended.stderr


async def test_dry_run_tells_what_would_come_and_changes_nothing(world: World, cli: Cli) -> None:
    before = await records(world.platform)
    ended = await cli.run(*of_crm(world, "--dry-run"))
    assert ended.returncode == 2
    assert "this would come of it" in ended.stdout
    assert "kontakte-1.csv:3: error: date_of_birth '1815-12-10'" in ended.stderr
    assert [word for word in ("crm:17", "web:3", "people-by-email") if word not in ended.stdout] == []  # fmt: skip
    assert await records(world.platform) == before
    assert await world.platform.fetchval("select count(*) from source_rows where source = 'crm'") == 0  # fmt: skip


async def test_what_is_one_is_explained_and_taken_apart(world: World, cli: Cli) -> None:
    await cli.run(*of_crm(world))
    told = await cli.json("identity", "explain", "crm:17")
    assert told["record"] == "web:3"
    said = {one["field"]: (one["value"], one["source"], one["why"]) for one in told["fields"]}
    assert said["first_name"] == ("Ada L", "web", "the later as_of")
    assert said["date_of_birth"] == ("1815-12-10", "crm", "nobody else says it")
    assert [(one["rule"], one["by"]) for one in told["merges"]] == [
        ("people-by-email", {"email": "ada@acme.example"})
    ]
    by_address = await cli.run("identity", "unmerge", "ada@acme.example")
    assert (by_address.returncode, "web:3, crm:17" in by_address.stderr) == (2, True)
    parted = await cli.run("identity", "unmerge", "crm:17", "--why", "two people")
    assert parted.stdout.strip() == "crm:17 stands alone again; web:3 too"
    [merge] = await cli.json("identity", "merges")
    assert merge["undone_why"] == "two people"
    again = await cli.run("identity", "unmerge", "crm:17")
    assert (again.returncode, "one with nobody" in again.stderr) == (2, True)


async def told(cli: Cli, world: World) -> dict[str, Any]:
    """What `--new` says; bad rows are in it."""
    ended = await cli.run(*of_crm(world, "--new", "--format", "json"))
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


async def test_growing_folder_is_taken_in_file_by_file(world: World, cli: Cli) -> None:
    first = await told(cli, world)
    assert [one["file"] for one in first["files"]] == ["kontakte-1.csv"]
    assert (await told(cli, world))["files"] == []
    world.write("crm/kontakte-2.csv", FILE.replace("1815-12-10", "10.12.1815"))
    assert [one["new"] for one in (await told(cli, world))["files"]] == [1]
    # a map that was mended reads its files anew
    world.write("crm.map", MAP.replace("dates", "constants: {country: SE}\n    dates"))
    assert len((await told(cli, world))["files"]) == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--new"], "name it with --source"),
        (["--source", "Crm"], "small letters"),
        (["--source", "crm", "--map", "nowhere.yaml"], "nowhere.yaml is no file"),
        (["--source", "crm", "--every", "soon"], "takes a duration"),
        (["--source", "crm", "--every", "1 hour", "--dry-run"], "leave out --every"),
    ],
)
async def test_mistake_is_told_with_its_remedy(
    world: World, arguments: list[str], why: str
) -> None:
    path = world.write("web/people.csv", "person_id,email\n")
    ended = await Cli(world).run("import", str(path), *arguments)
    assert (ended.returncode, why in ended.stderr) == (2, True)


async def test_import_with_a_workspace_goes_into_its_own_pair(world: World, pairs: Pairs) -> None:
    other = await pairs.take()  # there are several
    try:
        world.workspace("")
        path = str(world.write("data/accounts.csv", "account_id,name\na,Acme\n"))
        own, bare = ["--workspace", str(world.folder)], Cli(world)
        del bare.environment["CARAVAN_SUBSCRIPTION"]
        assert "choose one with --subscription" in await bare.refuse(2, "import", path)
        await bare.say("import", path, *own)
        await bare.say("import", path, *own, "--subscription", world.munchkin)
        assert await world.platform.fetchval("select count(*) from accounts") == 1
        said = await bare.refuse(2, "import", path, *own, "--subscription", other.munchkin)
        bare.environment["CARAVAN_SUBSCRIPTION"] = other.munchkin
        assert await bare.refuse(2, "import", path, *own) == said
        assert [one for one in (other.munchkin, world.munchkin, "leave it out") if one not in said] == []  # fmt: skip
    finally:
        pairs.give_back(other)


async def test_workspace_whose_pair_is_not_there_is_told_how_it_comes(world: World) -> None:
    world.write("new/ws.yaml", "workspace: brand-new\ndata: data/\n")
    world.write("new/data/accounts.csv", "account_id,name\na,Acme\n")
    bare = Cli(world)
    del bare.environment["CARAVAN_SUBSCRIPTION"]
    said = await bare.refuse(2, "import", str(world.folder / "new"))
    assert ("No subscription brand-new" in said, "caravan apply" in said) == (True, True)


async def test_folder_of_documents_without_a_workspace_names_no_pair(world: World) -> None:
    world.write("maps/crm.yaml", MAP)
    path = str(world.write("data/accounts.csv", "account_id,name\na,Acme\n"))
    await Cli(world).say("import", path, "--workspace", str(world.folder / "maps"))
    assert await world.platform.fetchval("select count(*) from accounts") == 1
