"""How far long work is: a bar a task on a terminal, nothing elsewhere."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from starter.output import stderr


def bar(of: str = "rows", *, transient: bool = False) -> AbstractContextManager[Progress | None]:
    """Bars on a terminal, nothing elsewhere; ``of``: what they count; ``transient``: gone when all is done."""
    if not sys.stderr.isatty():
        return nullcontext(None)
    return Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn(f"{{task.fields[rows]}} {of}"),
        TimeElapsedColumn(),
        console=stderr,
        transient=transient,
    )


def follow(progress: Progress | None) -> Callable[[str, int, int, int | None], None]:
    """A callback that moves the bar of a task: its name, how many, how far of which size (None: nobody knows)."""
    tasks: dict[str, TaskID] = {}

    def moved(name: str, rows: int, done: int, size: int | None) -> None:
        if progress is None:
            return
        if name not in tasks:
            tasks[name] = progress.add_task(name, total=size, rows=0)
        progress.update(tasks[name], completed=done, rows=rows)

    return moved


def count(progress: Progress | None) -> Callable[[str, int], None]:
    """A callback for what has no known end: its name, and how many so far."""
    moved = follow(progress)
    return lambda name, rows: moved(name, rows, rows, None)
