"""What the figures were measured on, and with: without it they say nothing."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from caravan import __version__
from caravan.stack.postgres import installation
from caravan.stack.temporal import binary


def machine() -> dict[str, str]:
    """Processor, cores, memory, system."""
    return {
        "cpu": _processor(),
        "cores": str(_cores()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "os": f"{_system()} ({platform.machine()}, kernel {platform.release()})",
    }


def versions() -> dict[str, str]:
    """Of what takes part."""
    return {
        "python": platform.python_version(),
        "temporalio": importlib.metadata.version("temporalio"),
        "temporal server": _says(binary()).removeprefix("temporal version "),
        "postgres": _says(str(installation() / "bin" / "postgres")).rpartition(" ")[2],
        "caravan": __version__,
    }


def _cores() -> int:
    """Those we may use, which a container may have restricted."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        return _run(["sysctl", "-n", "machdep.cpu.brand_string"])
    return platform.processor() or platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.platform(terse=True)


def _says(program: str) -> str:
    return _run([program, "--version"])


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
