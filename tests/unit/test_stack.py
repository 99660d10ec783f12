"""The embedded stack: interrupted anywhere it starts again, and it removes its own things alone."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from caravan.stack import postgres
from caravan.stack.processes import wait_for
from caravan.stack.stack import ROOT, Stack

START = "import sys; from pathlib import Path; from caravan.stack.stack import Stack; Stack(Path(sys.argv[1])).start(sys.argv[2:])"
AS_ROOT = os.geteuid() == 0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Of a stack, in a folder that nobody else can enter."""
    tmp_path.chmod(0o700)
    yield tmp_path / "my home"
    Stack(tmp_path / "my home").discard()


def outside(home: Path) -> Path:
    return Path(Stack(home).notes.get("outside", home))


def kill_starter(home: Path, part: str, when_there: str) -> None:
    """Start a part in another process, and kill that as soon as a file is there."""
    command = [sys.executable, "-c", START, str(home), part]
    starting = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        assert wait_for(lambda: any(any(top.glob(when_there)) for top in (home, outside(home))), 30)
        assert starting.poll() is None, "it had ended before it could be killed"
    finally:
        os.killpg(starting.pid, signal.SIGKILL)
        starting.wait()


async def databases(stack: Stack) -> set[str]:
    conn = await asyncpg.connect(stack.notes["platform_dsn"])
    try:
        return {row["datname"] for row in await conn.fetch("select datname from pg_database")}
    finally:
        await conn.close()


def test_start_killed_during_initdb_can_be_repeated(home: Path) -> None:
    kill_starter(home, "postgres", when_there="*.new*/PG_VERSION")
    stack = Stack(home)
    stack.start(["postgres"])
    assert asyncio.run(databases(stack)) >= set(postgres.DATABASES)


@pytest.mark.parametrize(
    ("part", "sign"), [("postgres", "sockets/.s.PGSQL.*"), ("temporal", "temporal.db")]
)
def test_server_whose_starter_was_killed_is_known_and_made_ready(
    home: Path, part: str, sign: str
) -> None:
    kill_starter(home, part, when_there=sign)
    stack = Stack(home)
    assert stack.runs(part)
    said: list[str] = []
    stack.start([part], say=said.append)
    assert f"{part} runs already" in said
    if part == "postgres":
        assert asyncio.run(databases(stack)) >= set(postgres.DATABASES)
    stack.stop()
    assert not stack.runs(part)


def test_discard_leaves_nothing(home: Path) -> None:
    stack = Stack(home)
    stack.start(["postgres", "mail"])
    folder = outside(home)
    assert folder != home
    assert folder.exists()
    if AS_ROOT:
        assert (folder / "data").exists(), "nobody cannot enter the home"
    stack.discard()
    assert not folder.exists()
    assert not home.exists()
    stack.discard()  # nothing to do


def test_discard_leaves_what_is_not_the_stacks(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    home.mkdir()
    thesis = home / "thesis.txt"
    thesis.write_text("years of work")
    demo = subprocess.run(
        [sys.executable, "-m", "starter", "demo"],
        cwd=ROOT, env={**os.environ, "CARAVAN_HOME": str(tmp_path), "CI": "true"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert demo.returncode == 1
    assert "CARAVAN_HOME" in demo.stderr
    assert [path.name for path in home.iterdir()] == ["thesis.txt"]

    stack = Stack(home)
    stack.start(["mail"])  # asked for by name, it does start here
    stack.discard()
    assert thesis.read_text() == "years of work"
    assert [path.name for path in home.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("kind", ["link", "writable", pytest.param("another's", marks=pytest.mark.skipif(not AS_ROOT, reason="needs root"))])  # fmt: skip
def test_folder_that_others_may_have_filled_is_not_used(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "caravan-1"
    folder.mkdir(mode=0o755)
    assert postgres.is_ours(folder)
    if kind == "link":
        (tmp_path / "link").symlink_to(folder)
        folder = tmp_path / "link"
    elif kind == "writable":
        folder.chmod(0o777)
    else:
        os.chown(folder, 65534, 65534)
    found = postgres.locate(tmp_path / "home", str(folder))
    try:
        assert found.outside != folder
        assert postgres.is_ours(found.outside)
    finally:
        found.outside.rmdir()
