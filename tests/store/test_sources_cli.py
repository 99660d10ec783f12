"""A user's way with sources: map, rehearse, import, explain, take apart, and let a folder grow."""

import pytest

from tests.commands import Cli
from tests.identifying import RULES, records
from tests.world import World

MAP = """
source: crm
files:
  - file: kontakte*.csv
    holds: people
    separator: ";"
    columns: {Nr: person_id, Mail: email, Vorname: first_name, Geburt: date_of_birth, Werbung: unsubscribed, Stand: as_of}
    constants: {country: DE}
    values: {unsubscribed: {J: "false", N: "true"}}
    dates: {date_of_birth: "%d.%m.%Y"}
"""
FILE = (
    "Nr;Mail;Vorname;Geburt;Werbung;Stand;Notiz\n"
    "17;Ada@acme.example;Ada;10.12.1815;J;2026-03-01T08:00:00Z;x\n"
    "18;bo@acme.example;Bo;1815-12-10;J;;x\n"
    "19;cy@acme.example;Cy;;N;;x\n"
)


@pytest.fixture
async def cli(world: World) -> Cli:
    await world.store(world.workspace(RULES))
    world.write(
        "web/people.csv", "person_id,email,first_name,job_title\n3,ada@acme.example,Ada L,CTO\n"
    )
    world.write("crm/kontakte-1.csv", FILE)
    world.write("crm.map", MAP)
    return Cli(world)


def args(world: World, *more: str) -> list[str]:
    folder = str(world.folder / "crm")
    return ["import", folder, "--source", "crm", "--map", str(world.folder / "crm.map"), *more]


async def test_way_of_a_user(world: World, cli: Cli) -> None:
    for arguments in (
        ["import", str(world.folder / "web/people.csv"), "--source", "web"],
        args(world, "--dry-run"),
        args(world),
        ["identity", "explain", "web:3"],
        ["identity", "merges"],
        ["identity", "unmerge", "ada@acme.example"],
        ["identity", "unmerge", "crm:17", "--why", "two people"],
        ["identity", "explain", "crm:17"],
        ["identity", "unmerge", "crm:17"],
        ["identity", "explain", "crm:99"],
        args(world, "--new"),
        args(world, "--new"),
        [
            "import",
            str(world.folder / "web"),
            "--source",
            "crm",
            "--map",
            str(world.folder / "crm.map"),
        ],
        [
            "import",
            str(world.folder / "web/people.csv"),
            "--source",
            "crm",
            "--map",
            str(world.folder / "crm.map"),
        ],
        ["import", str(world.folder / "web"), "--source", "Crm"],
        ["import", str(world.folder / "web"), "--new"],
        ["identity", "explain", "web:3", "--format", "json"],
    ):
        ended = await cli.run(*arguments)
        print("\n$ caravan", *arguments, f"→ {ended.returncode}")
        print(ended.stdout, ended.stderr)
    print(await records(world.platform))
