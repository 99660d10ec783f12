"""Detached processes of the embedded stack: started with a log, known by pid and start time.

A pid alone says nothing once its process has died, so nothing is signalled whose start time differs
from the one noted.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


class StackError(Exception):
    """A part of the stack did not start; the message says which and where its log is."""


@dataclass(frozen=True)
class Process:
    """A process of ours."""

    name: str
    pid: int
    started: str  # clock ticks since boot, as the kernel notes them

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def spawn(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    user: int | None = None,
    group: int | None = None,
    environment: dict[str, str] | None = None,
) -> Process:
    """Start a process that outlives us, its output in ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 - our own commands
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
            env={**os.environ, **(environment or {})},
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
            cwd="/",
        )
    _children[child.pid] = child
    return Process(name, child.pid, start_time(child.pid) or "")


#: children of this process, so that an ended one is reaped and not taken for alive
_children: dict[int, "subprocess.Popen[bytes]"] = {}


def start_time(pid: int) -> str | None:
    """When a process started, or None if there is none."""
    if pid in _children:
        _children[pid].poll()
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _start_time_by_ps(pid)
    fields = stat.rpartition(")")[2].split()
    # a killed process keeps its ports until the last of its threads has ended too
    ended = fields[0] == "Z" and int(fields[17]) <= 1
    return None if ended else fields[19]


def _start_time_by_ps(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        return None
    shown = subprocess.run(  # noqa: S603
        ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607 - systems without /proc
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout.strip() or None


def alive(process: Process) -> bool:
    """Whether it is still the process we started."""
    return start_time(process.pid) == process.started


def stop(
    process: Process,
    *,
    number: int = signal.SIGTERM,
    patience: float = 30.0,
    unfinished: bool = False,
) -> None:
    """Ask a process to end, wait, and end it for good when it does not.

    Args:
        number: the signal that asks.
        patience: seconds to wait.
        unfinished: ask twice, whereupon a worker leaves without finishing what it has begun.
    """
    if not alive(process):
        return
    os.kill(process.pid, number)
    if unfinished and not wait_for(lambda: not alive(process), 0.5):
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
    if wait_for(lambda: not alive(process), patience):
        return
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not alive(process), 5.0)


def wait_for(done: Callable[[], bool], patience: float) -> bool:
    """Poll until ``done`` or the patience (seconds) ends."""
    until = time.monotonic() + patience
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def wait_until_ready(
    process: Process, ready: Callable[[], bool], log: Path, patience: float = 60.0
) -> None:
    """Poll until a process serves.

    Raises:
        StackError: it ended instead, or the patience (seconds) did.
    """
    served = False

    def settled() -> bool:
        nonlocal served
        served = alive(process) and ready()
        return served or not alive(process)

    wait_for(settled, patience)
    if not served:
        raise StackError(f"{process.name} did not start; {log} ends: {last_lines(log)}")


def free_port(wanted: int) -> int:
    """``wanted`` if nobody has it, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StackError("No port of 127.0.0.1 is free: end programs that hold many, and try again")


def answers(port: int) -> bool:
    """Whether somebody accepts connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log, for error messages."""
    try:
        return " | ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
    except OSError:
        return "no log"
