"""The CLI as its users meet it: mistakes, missing servers, pipes, interruptions."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from caravan.settings import FROM_STACK
from caravan.stack.processes import wait_for
from caravan.stack.stack import Stack
from starter.main import main
from tests.deployed import WITHOUT_SYNC

ROOT = Path(__file__).resolve().parents[2]

WORKSPACE = """
workspace: shop
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
when: {}
---
journey: hello
audience: everyone
schedule: {end: 30 days}
start: first
nodes:
  first: {do: [{send_email: {template: hi}}], next: rest}
  rest: {wait: 3 days, next: fork}
  fork: {split: accounts, paths: [{label: Big, when: {account: {employees: {at_least: 10}}}, next: last}]}
  last: {do: [], end: done}
---
journey: second
audience: everyone
schedule: {end: 30 days}
start: a
nodes:
  a: {do: [{account_interesting_moment: {type: web, text: A}}], next: b}
  b: {wait: 1 day, next: c}
  c: {do: [{account_interesting_moment: {type: web, text: C}}]}
"""
MAIL = "---\nemail: hi\nsubject: Hi\n---\n<p>{{ account.name }} {{ unsubscribe_link }}</p>\n"


@dataclass
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def is_a_sentence(self, *parts: str) -> None:
        """One plain sentence on stderr that has these parts."""
        assert "Traceback" not in self.err
        assert self.err.startswith("caravan: ")
        assert self.err.count("\n") == 1
        for part in parts:
            assert part in self.err


class Cli:
    """Runs commands in this process, or as a process of their own."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder

    def workspace(self, name: str, text: str = WORKSPACE) -> Path:
        folder = self.folder / name
        (folder / "emails").mkdir(parents=True, exist_ok=True)
        (folder / "data").mkdir(exist_ok=True)
        (folder / "ws.yaml").write_text(text.replace("workspace: shop", f"workspace: {name}"))
        (folder / "emails" / "hi.html").write_text(MAIL)
        return folder

    def start(self, *arguments: str, **more: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "starter", *arguments], cwd=ROOT, text=True,
            env=os.environ | {"CARAVAN_HOME": str(self.stack.home)} | more,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    async def count(self, dsn: str, query: str) -> int:
        """What a query counts; 0 while its table is not there."""
        conn = await asyncpg.connect(self.stack.notes[dsn])
        try:
            return int(await conn.fetchval(query))
        except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
            return 0
        finally:
            await conn.close()


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    folder = tmp_path_factory.mktemp("the cli")
    stack = Stack(folder / "home", postgres_settings=WITHOUT_SYNC)
    stack.start()
    yield Cli(stack, folder)
    stack.discard()
    shutil.rmtree(folder, ignore_errors=True)


Run = Callable[..., Said]


@pytest.fixture
def run(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """``run("journeys", PLATFORM_DSN="…")``: a command and what it says."""

    def go(*arguments: str, **environment: str) -> Said:
        with monkeypatch.context() as patch:
            for name in (*(part.upper() for part in FROM_STACK), "CARAVAN_SUBSCRIPTION"):
                patch.delenv(name, raising=False)
            patch.setenv("CARAVAN_HOME", str(cli.stack.home))
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["caravan", *arguments])
            capsys.readouterr()
            try:
                main()
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Said(code, *capsys.readouterr())

    return go  # type: ignore[return-value]


def test_empty_stores_say_what_to_do_first(run: Run) -> None:
    for command in (["journeys"], ["mail"], ["account", "show", "a"], ["import", str(ROOT)]):
        said = run(*command)
        assert said.code == 2
        said.is_a_sentence("caravan apply DIR")
    assert run("subscriptions", "--format", "json").json == []


@pytest.mark.parametrize(
    ("setting", "value", "parts"),
    [
        ("PLATFORM_DSN", "postgresql://me:hush@127.0.0.1:1/x", ["127.0.0.1:1/x", "PLATFORM_DSN"]),
        ("PLATFORM_DSN", "nonsense", ["PLATFORM_DSN", "postgresql://"]),
        ("TEMPORAL_ADDRESS", "127.0.0.1:1", ["127.0.0.1:1", "TEMPORAL_ADDRESS"]),
        ("TEMPORAL_ADDRESS", "nonsense", ["TEMPORAL_ADDRESS", "host:7233"]),
        ("TEMPORAL_NAMESPACE", "nowhere", ["nowhere", "TEMPORAL_NAMESPACE"]),
        ("SMTP_URL", "hush@nonsense", ["SMTP_URL", "smtp://"]),
        ("POOL_SIZE", "many", ["POOL_SIZE"]),
        ("CARAVAN_HOME", "/nowhere", ["/nowhere", "caravan up"]),
    ],
)
def test_server_out_of_reach_is_one_sentence_with_address_and_setting(
    cli: Cli, run: Run, setting: str, value: str, parts: list[str]
) -> None:
    said = run("apply", str(cli.workspace("early")), **{setting: value})
    assert said.code == 1
    said.is_a_sentence(*parts)
    assert "hush" not in said.err


async def test_nothing_is_published_where_temporal_is_out_of_reach(cli: Cli) -> None:
    assert await cli.count("engage_dsn", "select count(*) from munchkin_early.journeys") == 0


def test_workspace_with_errors_is_told_whole_and_stores_nothing(cli: Cli, run: Run) -> None:
    wrong = WORKSPACE.replace("next: rest}", "next: rst}").replace("wait: 3 days", "wait: 3 dayz")
    said = run("apply", str(cli.workspace("wrong", wrong)))
    assert said.code == 2
    assert re.findall(r"ws.yaml:(\d+): error ([a-z-]+): .*\[(\w+)\]", said.err) == [
        ("15", "unknown-node", "first"),
        ("16", "bad-duration", "rest"),
    ]
    assert "2 errors; nothing was stored" in said.err
    assert all(
        row["subscription"] != "wrong" for row in run("subscriptions", "--format", "json").json
    )
    keys = {"file", "line", "document", "node", "code", "message", "severity"}
    told = run("validate", str(cli.folder / "wrong"), "--format", "json")
    assert told.code == 2
    assert [set(problem) for problem in told.json] == [keys, keys]


def test_life_of_a_journey_by_its_commands(cli: Cli, run: Run) -> None:
    run("apply", str(cli.workspace("life")))
    here = {"CARAVAN_SUBSCRIPTION": "life"}

    def version(number: int = -1) -> tuple[str, bool]:
        rows = list(run("journeys", "--format", "json", **here).json)
        row = [row for row in rows if row["journey"] == "hello"][number]
        return row["state"], row["paused"]

    assert "hello (v1) is paused" in run("journey", "pause", "hello", **here).out
    assert "was paused already" in run("journey", "pause", "hello", **here).out
    assert version() == ("live", True)
    assert run("journey", "resume", "hello", "--format", "json", **here).json == {
        "journey": "hello", "versions": [1],
    }  # fmt: skip
    refused = run("journey", "delete", "hello", **here)
    assert refused.code == 1
    refused.is_a_sentence("hello cannot be deleted", "abort it first")
    assert "hello is a draft" not in run("journey", "duplicate", "hello", **here).out
    assert "hello (v1) takes no more entries" in run("journey", "close", "hello", **here).out
    assert "--reopen" in run("apply", str(cli.folder / "life"), **here).out
    run("journey", "publish", "hello", **here).is_a_sentence("--reopen")
    assert "v2 is published" in run("journey", "publish", "hello", "--reopen", **here).out
    assert "0 accounts have left" in run("journey", "abort", "hello", "--yes", **here).out
    assert version() == ("aborted", False)
    assert "hello (v1, v2) is deleted" in run("journey", "delete", "hello", **here).out
    said = run("journey", "abort", "hello", "--yes", **here)
    assert said.code == 2
    said.is_a_sentence("No journey hello")
    published = run("journey", "publish", "hello-copy", **here)
    assert "hello-copy v1 is published" in published.out
    assert "No worker takes from the queues" in published.err


def test_apply_again_changes_nothing_and_lists_are_complete(cli: Cli, run: Run) -> None:
    folder = cli.workspace("shop")
    (folder / "data" / "accounts.csv").write_text("account_id,name\na1,[red]Acme\n")
    first = run("apply", str(folder), "--format", "json")
    assert [row["change"] for row in first.json] == ["published", "published"]
    assert "No worker takes from the queues" in first.err
    assert "`caravan up`" in first.err
    again = run("apply", str(folder), "--format", "json")
    assert [row["change"] for row in again.json] == ["unchanged", "unchanged"]
    here = {"CARAVAN_SUBSCRIPTION": "shop"}
    [hello, _] = run("journeys", "--format", "json", **here).json
    assert hello["journey"] == "hello"
    assert {"version", "state", "audience", "inside", "completed", "ends_at"} <= set(hello)
    shown = run("journey", "show", "hello", "--format", "json", **here).json
    assert [node["node"] for node in shown["nodes"]] == ["first", "rest", "fork", "last"]
    campaigns = run("campaigns", "--journey", "second", "--format", "json", **here).json
    assert [row["nodes"] for row in campaigns] == [["a"], ["c"]]
    assert run("campaigns", "--format", "json", **here).json == []
    for command in (["journeys"], ["journey", "show", "hello"], ["audiences"], ["status"]):
        assert run(*command, **here).code == 0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("journey show helo", "did you mean hello"),
        ("accounts --journey helo", "did you mean hello"),
        ("accounts --journey hello --node frok", "did you mean fork"),
        ("campaigns --journey helo", "did you mean hello"),
        ("mail --journey helo", "did you mean hello"),
        ("account show nobody", "nobody"),
        ("person show nobody@x.example", "nobody@x.example"),
        ("journeys --subscription nobody", "shop"),
        ("import /nowhere/accounts.csv", "/nowhere/accounts.csv"),
        ("validate /nowhere", "/nowhere"),
        ("validate examples/grid-analytics --at yesterday", "2026-03-02T08:00:00Z"),
    ],
)
def test_unknown_name_is_bad_input_in_one_sentence(run: Run, arguments: str, part: str) -> None:
    said = run(*arguments.split(), CARAVAN_SUBSCRIPTION="shop") if "--sub" not in arguments else run(*arguments.split())  # fmt: skip
    assert said.code == 2
    said.is_a_sentence(part)


def test_import_tells_bad_rows_and_exits_2(cli: Cli, run: Run) -> None:
    file = cli.folder / "accounts.csv"
    file.write_bytes(b"account_id,name,colour\nb1,Caf\xe9,x\nb2,Good,x\n")
    said = run("import", str(file), "--format", "json", CARAVAN_SUBSCRIPTION="shop")
    assert said.code == 2
    assert said.json["files"][0]["new"] == 1
    assert [(row["line"], row["severity"]) for row in said.json["problems"]] == [
        (1, "warning"),
        (2, "error"),
    ]
    directory = cli.folder / "folder" / "people.csv"
    directory.mkdir(parents=True)
    run("import", str(directory.parent), CARAVAN_SUBSCRIPTION="shop").is_a_sentence(
        "Is a directory"
    )


@pytest.mark.long
async def test_import_killed_in_the_middle_goes_on_when_run_again(cli: Cli) -> None:
    file = cli.folder / "people.csv"
    rows = "".join(f"p{n},p{n}@x.example,First,a1,user\n" for n in range(20_000))
    file.write_text("person_id,email,first_name,account_id,roles\n" + rows)
    arguments = ["import", str(file), "--subscription", "shop", "--format", "json"]
    count = "select count(*) from sandbox_shop.people"
    killed = cli.start(*arguments)
    while not await cli.count("platform_dsn", count) and killed.poll() is None:
        pass
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    loaded = await cli.count("platform_dsn", count)
    assert loaded % 5000 == 0
    again = cli.start(*arguments)
    [report] = json.loads(again.communicate()[0])["files"]
    assert (report["new"], report["unchanged"]) == (20_000 - loaded, loaded)
    for table in ("people", "relations"):
        assert (
            await cli.count("platform_dsn", f"select count(*) from sandbox_shop.{table}") == 20_000
        )


async def test_apply_killed_at_any_point_publishes_journeys_whole(cli: Cli) -> None:
    for number, wanted in enumerate((0, 1)):
        name = f"killed-{number}"
        schema = f"munchkin_killed_{number}"
        journeys = f"select count(*) from {schema}.journeys"
        killed = cli.start("apply", str(cli.workspace(name)))
        while killed.poll() is None and (
            await cli.count("engage_dsn", journeys) < wanted
            or await cli.count("engage_dsn", f"select count(*) from {schema}.pair") == 0
        ):
            pass
        killed.kill()
        killed.communicate()
        halves = (
            f"select count(*) from {schema}.journeys j where j.state <> 'live' or (select count(*) from "
            f"{schema}.campaigns c where c.journey_id = j.id) <> 2"
        )
        assert await cli.count("engage_dsn", halves) == 0
        again = cli.start("apply", str(cli.workspace(name)))
        assert again.wait(60) == 0
        again.communicate()
        assert await cli.count("engage_dsn", journeys) == 2


def test_output_survives_a_closed_pipe_and_a_poor_terminal(cli: Cli) -> None:
    poor = cli.start("journeys", "--subscription", "shop", PYTHONIOENCODING="ascii")
    out, err = poor.communicate()
    assert (poor.returncode, err) == (0, "")
    assert "hello" in out
    closed = cli.start("campaigns", "--journey", "hello", "--subscription", "shop")
    assert closed.stdout is not None
    closed.stdout.close()
    assert closed.wait(30) in (0, 1)
    assert closed.stderr is not None
    assert "Traceback" not in closed.stderr.read()
    closed.stderr.close()


def test_store_that_was_dropped_is_one_sentence(cli: Cli, run: Run) -> None:
    async def drop() -> None:
        conn = await asyncpg.connect(cli.stack.notes["engage_dsn"])
        await conn.execute("drop schema munchkin_killed_0 cascade")
        await conn.close()

    asyncio.run(drop())
    said = run("journeys", "--subscription", "killed-0")
    assert said.code == 1
    said.is_a_sentence("caravan apply DIR")


def test_dead_server_is_one_sentence_that_names_up(cli: Cli, run: Run) -> None:
    os.kill(cli.stack.notes["processes"]["postgres"]["pid"], signal.SIGKILL)
    assert wait_for(lambda: not cli.stack.runs("postgres"), 10)
    said = run("journeys")
    assert said.code == 1
    said.is_a_sentence("PLATFORM_DSN", "caravan up")
    status = run("status", "--format", "json")
    assert status.code == 1
    assert [part["part"] for part in status.json["parts"] if not part["running"]] == ["postgres"]
    assert "PLATFORM_DSN" in status.json["problem"]
