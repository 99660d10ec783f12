"""The resident memory of a process and of those it has started."""

import os
import re
import subprocess
from pathlib import Path


def resident_megabytes(pid: int) -> float:
    """RSS of a process tree, in MiB; pages shared between its processes count in each."""
    parents, resident = {}, {}
    for process, parent, kilobytes in _processes():
        parents[process] = parent
        resident[process] = kilobytes
    tree = {pid}
    while grown := {child for child, parent in parents.items() if parent in tree} - tree:
        tree |= grown
    return sum(resident.get(process, 0) for process in tree) / 1024


def _processes() -> list[tuple[int, int, int]]:
    """(pid, parent, resident kB) of everything that runs."""
    if not Path("/proc/self/status").exists():
        shown = subprocess.run(
            ["ps", "-axo", "pid=,ppid=,rss="],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return [(int(a), int(b), int(c)) for a, b, c in map(str.split, shown.splitlines())]
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                status = Path(f"/proc/{name}/status").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue  # it has ended meanwhile
            found.append((int(name), _number(status, "PPid"), _number(status, "VmRSS")))
    return found


def _number(status: str, name: str) -> int:
    """Kernel threads have no memory of their own."""
    match = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    return int(match.group(1)) if match else 0
