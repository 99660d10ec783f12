"""``caravan watch DIR``: validate, test and draw a workspace whenever a file of it is saved."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from caravan.settings import read_environment
from caravan.simulation.page import page
from caravan.simulation.run import Asked
from caravan.simulation.told import Told, simulate
from starter.embedder import embedder
from starter.errors import Interrupted, UserError
from starter.output import plainly, plural
from starter.scratch import scratch_dsn
from starter.session import run
from starter.simulate import known_journey, tell_titles_unread
from starter.test import run_all, show_results
from starter.validate import (
    DirectoryArgument,
    errors_in_words,
    existing,
    instant,
    read_workspace,
    tell,
)

FOLDER = "watch"
#: seconds between looks, and how long a save may take
EVERY, SETTLED = 0.3, 0.1
#: seconds after which an open page looks for a newer one
REFRESH = 2

#: every file with the instant it was written and its size
Seen = dict[Path, tuple[int, int]]


def watch(
    directory: DirectoryArgument,
    journey: Annotated[
        list[str] | None,
        typer.Option("--journey", help="Draw only this one; may be given again. Absent: all."),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When journeys are published. Absent: now.")
    ] = None,
) -> None:
    """Validate, test and draw a workspace, again whenever a file in it is saved. Ctrl-C ends it.

    Pictures go to .caravan/watch/SLUG.html: keep one open in a browser, it renews itself. Nothing is
    published, and no running stack is touched.
    """
    begin, seen = instant(at), Seen()
    existing(directory)
    try:
        with scratch_dsn() as dsn:
            while True:
                now = look(directory)
                if now == seen:
                    time.sleep(EVERY)
                    continue
                time.sleep(SETTLED)
                if look(directory) == now:  # else it is still being written
                    seen = now
                    go_round(dsn, directory, journey or [], begin)
    except KeyboardInterrupt:
        raise Interrupted("no longer watching") from None


def look(directory: Path) -> Seen:
    """The files of a workspace as they are."""
    seen = Seen()
    for path in sorted(directory.rglob("*")):
        if any(part.startswith(".") for part in path.relative_to(directory).parts):
            continue
        try:
            state = path.stat()
        except OSError:  # gone while we looked
            continue
        if path.is_file():
            seen[path] = (state.st_mtime_ns, state.st_size)
    return seen


def go_round(dsn: str, directory: Path, journeys: Sequence[str], at: datetime) -> None:
    """Once through all of it; what is wrong is told, and waits for the next save."""
    plainly(f"— {datetime.now(UTC):%H:%M:%SZ}")
    workspace = read_workspace(directory, at)
    tell(directory, list(workspace.problems))
    if workspace.faults:
        plainly(errors_in_words(workspace))
        return
    try:
        for slug in journeys:
            known_journey(directory, workspace, slug)
    except UserError as error:
        plainly(str(error))
        return
    unread = []
    if workspace.tests:
        results = run(run_all(dsn, workspace, sorted(workspace.tests)))
        show_results(directory, results)
        unread += [result.titles_unread for result in results]
    drawn = []
    for slug in journeys or sorted(workspace.journeys):
        told = run(
            simulate(dsn, Asked(workspace, slug, at, data=workspace.data, embedder=embedder()))
        )
        drawn.append(_draw(told, slug))
        unread.append(told.ran.titles_unread)
    tell_titles_unread(unread)
    plainly(f"{plural(len(drawn), 'journey')} drawn: {', '.join(map(str, drawn))}")


def _draw(told: Told, slug: str) -> Path:
    file = read_environment().caravan_home / FOLDER / f"{slug}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(page(told, refresh=REFRESH), encoding="utf-8")
    draft.replace(file)  # a browser never reads half of it
    return file
