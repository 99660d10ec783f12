"""A Postgres for throw-away stores: apart from every stack, fast because nothing in it need last.

Whoever needs it starts it, and the last one stops it: two simulations at a time share one server. The
locks are the operating system's, so one that was killed holds nothing.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from caravan.stack.stack import Stack

#: no power cut can lose what is thrown away anyway. autovacuum off: its transactions would hold back the
#: outbox now and then, and the same run would not read the same pages
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "100",
    "shared_buffers": "128MB",
    # nobody watches what it does
    "track_activities": "off",
    "track_counts": "off",
    "update_process_title": "off",
}


@dataclass(frozen=True)
class Scratch:
    """The server as one of its users sees it."""

    dsn: str
    alone: bool  # nobody else used it when we came: what lies there was left behind


@contextmanager
def scratch_server(home: Path) -> Iterator[Scratch]:
    """The server under a home of its own, running until the last user leaves.

    Raises:
        StackError: it did not start; says where its log is.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o755)
    with (home / "turns.lock").open("w") as turns, (home / "users.lock").open("w") as users:
        stack = Stack(home, postgres_settings=SETTINGS)
        with _locked(turns):
            alone = _try_exclusive(users)
            stack.start(["postgres"])
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield Scratch(stack.notes["platform_dsn"], alone)
        finally:
            with _locked(turns):
                if _try_exclusive(users):
                    Stack(home).stop()


@contextmanager
def _locked(file: IO[str]) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _try_exclusive(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
