"""The commands around virtual time as their users meet them: simulate, test, init, watch."""

import asyncio
import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import asyncpg
import pytest

from caravan.simulation.throw_away import PREFIX, TEMPLATE
from caravan.stack.scratch import scratch_server
from caravan.stack.stack import Stack
from starter.init import slug_of
from tests import commands
from tests.store.test_personas import Deaf

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = str(ROOT / "examples" / "grid-analytics")
AT = "2026-11-01T08:00:00Z"

Run = Callable[..., commands.Ended]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("virtual time") / "home"
    yield folder
    Stack(folder / "simulation").discard()


@pytest.fixture(scope="module")
def caravan(home: Path) -> Run:
    return functools.partial(commands.caravan, CARAVAN_HOME=str(home))


@pytest.fixture
def shop(caravan: Run, tmp_path: Path) -> Path:
    """The workspace that `init` writes."""
    folder = tmp_path / "My 2 Shops!"
    assert caravan("init", str(folder)).returncode == 0
    return folder


@pytest.mark.long
def test_the_same_arguments_print_the_same_bytes(caravan: Run, home: Path) -> None:
    arguments = ("simulate", EXAMPLE, "--journey", "grid-nurture", "--at", AT)
    one, other = caravan(*arguments), caravan(*arguments)
    assert (one.returncode, one.stderr) == (0, "")
    assert one.stdout == other.stdout
    *lines, last = map(json.loads, one.stdout.splitlines())
    assert last["kind"] == "summary"
    assert (last["accounts"], last["exits"]) == (36, {"completed": 36})
    assert all({"at", "account", "entry", "node", "kind"} <= line.keys() for line in lines)
    places = [(line["at"], line["account"]) for line in lines]
    assert places == sorted(places)
    assert not Stack(home / "simulation").runs("postgres"), "the last one stops the server"


def test_problems_go_to_stderr_and_nothing_is_simulated(caravan: Run, shop: Path) -> None:
    (shop / "audiences.yaml").write_text("audience: energy\nwhen: {account: {industri: Energy}}\n")
    said = caravan("simulate", str(shop), "--journey", "welcome")
    assert (said.returncode, said.stdout) == (2, "")
    assert "audiences.yaml:2: error unknown-field:" in said.stderr
    tested = caravan("test", str(shop))
    assert (tested.returncode, tested.stdout) == (2, "")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--journey", "welcom"), "did you mean welcome?"),
        (("--journey", "welcome", "--at", "soon"), "not an instant"),
        (("--journey", "welcome", "--at", AT, "--until", "2026-10-01T00:00:00Z"), "before the journey"),
        (("--journey", "welcome", "--events", "/nowhere.jsonl"), "/nowhere.jsonl: No such file"),
    ],
)  # fmt: skip
def test_what_cannot_be_simulated_is_one_sentence(
    caravan: Run, shop: Path, more: tuple[str, ...], told: str
) -> None:
    said = caravan("simulate", str(shop), *more)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("caravan: ")
    assert told in said.stderr


def test_bad_lines_of_the_events_file_are_told_with_their_numbers(
    caravan: Run, shop: Path, tmp_path: Path
) -> None:
    events = tmp_path / "happens.jsonl"
    events.write_text(
        '{"at": "2026-11-02T00:00:00Z", "type": "page_visited", "person_id": "p1"}\nnonsense\n'
    )
    arguments = ("simulate", str(shop), "--journey", "welcome", "--at", AT, "--events", str(events))
    said = caravan(*arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert "happens.jsonl:2: error bad-value: no JSON" in said.stderr
    events.write_text('{"at": "2026-11-02T00:00:00Z", "type": "x", "person_id": "nobody"}\n')
    said = caravan(*arguments)
    assert (said.returncode, said.stdout) == (2, "")
    assert "happens.jsonl:1: error bad-value: no person nobody" in said.stderr


def test_titles_that_cannot_be_read_are_told_once(
    caravan: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("simulate", "test", "proofs"):
        monkeypatch.setattr(f"starter.{module}.embedder", Deaf)
    tests = [file for file in shop.rglob("*.yaml") if "\ntests:" in f"\n{file.read_text()}"]
    (shop / "again.yaml").write_text(re.sub("(?m)^tests: ", "tests: again-", tests[0].read_text()))
    simulated = caravan("simulate", str(shop), "--journey", "welcome", "--at", AT)
    assert simulated.returncode == 0, simulated.stderr
    tested = caravan("test", str(shop))
    assert tested.stdout.count("welcome") > 1
    why = "nothing can be read here; people whose titles were not read have no persona"
    assert simulated.stderr.splitlines().count(why) == 1
    assert tested.stderr.splitlines() == [why]
    proof = ("email", "preview", "welcome", str(shop), "--person", "p1", "--data-files")
    previewed = caravan(*proof, "--out", str(shop / "out"))
    assert previewed.returncode == 0, previewed.stderr
    assert previewed.stderr.splitlines().count(why) == 1


def test_simulate_says_that_no_model_was_asked(caravan: Run, tmp_path: Path) -> None:
    (tmp_path / "ws.yaml").write_text(
        "workspace: ws\ndata: data/\n---\naudience: everyone\nwhen: {account: {name: {empty: false}}}\n---\n"
        "journey: trip\naudience: everyone\nschedule: {end: 30 days}\nstart: triage\nnodes:\n"
        "  triage: {decide: accounts, paths: [{label: hot, prompt: It asks to meet., end: met}], otherwise: rest}\n"
        "  rest: {wait: 1 day}\n"
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "accounts.csv").write_text("account_id,name\na,A\nb,B\nc,C\n")
    decided = {"at": AT, "type": "decision", "account_id": "a", "node": "triage", "path": "hot"}
    (tmp_path / "lines.jsonl").write_text(json.dumps(decided) + "\n")
    lines = ("--events", str(tmp_path / "lines.jsonl"))
    said = caravan("simulate", str(tmp_path), "--journey", "trip", "--at", AT, *lines)
    assert said.returncode == 0, said.stderr
    assert said.stderr.splitlines()[-1] == (
        "no model was asked: 3 decisions, 1 by lines of the events file, 2 by nobody, which took otherwise"
    )
    assert json.loads(said.stdout.splitlines()[-1])["decisions"] == {"nobody": 2, "recorded": 1}


def test_bad_rows_of_the_data_are_told_and_the_rest_is_simulated(caravan: Run, shop: Path) -> None:
    with (shop / "data" / "people.csv").open("a") as people:
        people.write("p9,p9@x.example,P,N,T,,no-such-account,\n")
    said = caravan("simulate", str(shop), "--journey", "welcome", "--at", AT)
    assert said.returncode == 0
    assert "people.csv:8: error: no account no-such-account" in said.stderr
    assert json.loads(said.stdout.splitlines()[-1])["accounts"] == 3


def test_the_page_needs_nothing_but_itself(caravan: Run, shop: Path) -> None:
    said = caravan("simulate", str(shop), "--journey", "welcome", "--at", AT, "--format", "html")
    assert said.returncode == 0
    page = said.stdout
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == 1
    assert not re.findall(r"(?:src|href)=|url\((?!#)|@import", page), "nothing is fetched"
    assert page.count("<tr data-nodes") == 3
    assert "north-grid" in page


def test_what_init_writes_validates_and_tests_green(caravan: Run, shop: Path) -> None:
    assert caravan("validate", str(shop)).returncode == 0
    said = caravan("test", str(shop))
    assert (said.returncode, said.stderr) == (0, "")
    assert "2 tests ok" in said.stdout
    again = caravan("init", str(shop))
    assert again.returncode == 2
    assert "is there already" in again.stderr


@pytest.mark.timeout(200)  # nine tests, each on stores of its own
def test_examples_test_green(caravan: Run) -> None:
    said = caravan("test", EXAMPLE)
    assert said.returncode == 0, said.stdout
    assert int(re.search(r"(\d+) tests ok", said.stdout)[1]) >= 4  # type: ignore[index]


def test_a_failed_test_shows_what_was_expected_beside_what_came(caravan: Run, shop: Path) -> None:
    tests = shop / "tests" / "welcome.yaml"
    tests.write_text(
        tests.read_text()
        .replace("path: [hello, reply, hot]", "path: [hello, reply, size, cold]")
        .replace("person: q, outcome: skipped, reason: unsubscribed", "person: q, outcome: sent")
        .replace("label: handed-over", "label: no-answer")
    )
    said = caravan("test", str(shop), "--only", "welcome-answered")
    assert said.returncode == 1
    assert said.stdout.splitlines()[0] == "FAIL  welcome-answered  (welcome)"
    told = [line.strip() for line in said.stdout.splitlines()]
    for line in (
        "path     - hello → reply → size → cold",
        "+ hello → reply → hot",
        "- hello send_email q sent",
        "+ hello send_email q skipped (unsubscribed)",
        "label    - no-answer",
        "+ handed-over",
        "1 of 1 test failed",
    ):
        assert line in told
    rows = json.loads(caravan("test", str(shop), "--format", "json").stdout)
    assert {row["test"]: row["ok"] for row in rows} == {
        "welcome-answered": False,
        "welcome-silent": True,
    }
    [failed] = [row for row in rows if not row["ok"]]
    assert {one["what"] for one in failed["differences"]} == {"path", "effects", "label"}


@pytest.mark.long
def test_watch_goes_round_when_a_file_is_saved(home: Path, shop: Path) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-u", "-m", "starter", "watch", str(shop)], cwd=ROOT, text=True,
        env=os.environ | {"CARAVAN_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert watching.stdout is not None
    try:
        _until(watching.stdout, "1 journey drawn")
        drawn = home / "watch" / "welcome.html"
        first = drawn.stat().st_mtime_ns
        journey = shop / "journeys" / "welcome.yaml"
        good = journey.read_text()
        journey.write_text(good.replace("wait: 2 weeks", "wait: soon"))
        _until(watching.stdout, "error bad-duration")
        journey.write_text(good.replace("wait: 2 weeks", "wait: 3 weeks"))
        _until(watching.stdout, "2 tests ok")
        _until(watching.stdout, "1 journey drawn")
        assert drawn.stat().st_mtime_ns > first
    finally:
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 130
        watching.stdout.close()


def _until(stream: IO[str], words: str) -> None:
    """Read until a line has these words."""
    for line in stream:
        if words in line:
            return
    raise AssertionError(f"it ended before it said {words}")


def test_two_users_share_the_server_and_the_last_one_stops_it(home: Path) -> None:
    folder = home / "simulation"
    with scratch_server(folder) as one:
        assert one.alone
        with scratch_server(folder) as other:
            assert not other.alone
            assert other.dsn == one.dsn
        assert Stack(folder).runs("postgres")
    assert not Stack(folder).runs("postgres")


def test_what_a_killed_run_left_is_dropped_by_the_next(
    caravan: Run, home: Path, shop: Path
) -> None:
    killed = subprocess.Popen(
        [
            sys.executable, "-m", "starter", "simulate", EXAMPLE, "--journey", "lifecycle", "--at", AT,
        ],
        cwd=ROOT, env=os.environ | {"CARAVAN_HOME": str(home)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 30
    while not Stack(home / "simulation").runs("postgres") and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1.0)
    killed.kill()
    killed.wait(10)
    assert caravan("simulate", str(shop), "--journey", "welcome", "--at", AT).returncode == 0
    assert not Stack(home / "simulation").runs("postgres")
    with scratch_server(home / "simulation") as scratch:
        [template] = asyncio.run(_databases(scratch.dsn))
    assert template.startswith(TEMPLATE)


async def _databases(dsn: str) -> list[str]:
    conn = await asyncpg.connect(dsn)
    try:
        rows = await conn.fetch(
            "select datname from pg_database where datname like $1", f"{PREFIX}%"
        )
    finally:
        await conn.close()
    return [row["datname"] for row in rows]


@pytest.mark.parametrize(
    ("folder", "slug"),
    [("My 2 Shops!", "my-2-shops"), ("grid", "grid"), ("Ärger", "rger"), ("...", "workspace")],
)
def test_a_workspace_is_named_after_its_folder(tmp_path: Path, folder: str, slug: str) -> None:
    assert slug_of(tmp_path / folder if folder != "..." else Path("/")) == slug
