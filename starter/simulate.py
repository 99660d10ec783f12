"""``caravan simulate DIR --journey SLUG``: a journey in virtual time, account by account."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.nodes.paths import OTHERWISE
from caravan.journeys.problems import Problem
from caravan.journeys.workspace import Workspace
from caravan.simulation.lines import Line, read_file
from caravan.simulation.page import page
from caravan.simulation.run import Asked, BadLines, Moment
from caravan.simulation.told import Told
from caravan.simulation.told import simulate as simulate_journey
from starter.embedder import embedder
from starter.errors import UserError
from starter.import_data import tell_bad_rows
from starter.output import as_json, plural, say, stderr
from starter.scratch import scratch_dsn
from starter.session import run
from starter.validate import DirectoryArgument, instant, runnable_workspace


class Format(StrEnum):
    """How to print a trace."""

    json = "json"
    html = "html"


def simulate(
    directory: DirectoryArgument,
    journey: Annotated[str, typer.Option("--journey", help="The journey's slug.")],
    at: Annotated[
        str | None,
        typer.Option(
            "--at", help="When it is published, such as 2026-03-02T08:00:00Z. Absent: now."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", help="Where to stop. Absent: the end date and its grace."),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            "--events", help="JSON Lines of what happens meanwhile: events, changes, answers."
        ),
    ] = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format", help="json: a line for every step. html: one page with a picture."
        ),
    ] = Format.json,
) -> None:
    """Walk a journey in virtual time, with the workspace's data and the code that runs in production.

    Months pass in seconds, no mail leaves, and no running stack is touched. It prints one JSON object a
    line: when each account came to each node, what was done to whom, which path it took and how it left;
    the last line counts it all. With `--at` the same arguments print the same bytes, so keep a trace and
    compare it with the next one.

    What happens on the way comes from a file, one object a line:

        {"at": "2026-03-05T10:00:00Z", "type": "email_clicked", "person_id": "p-1", "template": "welcome"}
        {"at": "2026-03-09T00:00:00Z", "change": "account", "id": "acc-1", "set": {"industry": "Energy"}}
        {"at": "2026-03-09T08:00:00Z", "type": "decision", "account_id": "acc-1", "node": "triage", "path": "Hot"}

    Try: `caravan simulate examples/grid-analytics --journey renewal --format html > renewal.html`
    """
    begin = instant(at)
    workspace = runnable_workspace(directory, begin)
    known_journey(directory, workspace, journey)
    asked = Asked(
        workspace,
        journey,
        begin,
        _end(until, begin),
        workspace.data,
        lines_of(directory, workspace, events),
        embedder=embedder(),
    )
    try:
        with scratch_dsn() as dsn, progress_bar(journey) as progress:
            told = run(simulate_journey(dsn, asked, progress))
    except BadLines as error:
        raise refused(error.problems) from None
    tell_bad_rows(told.ran.reports)
    tell_titles_unread([told.ran.titles_unread])
    tell_decisions(told)
    show(told, form)


def show(told: Told, form: Format) -> None:
    """Print a trace."""
    if form is Format.html:
        print(page(told), end="")
        return
    for line in told.lines:
        print(as_json(line.body))
    print(as_json(told.summary))


def tell_titles_unread(reasons: Iterable[str | None]) -> None:
    """Why people have no persona, once however many simulations went without."""
    if why := next(filter(None, reasons), None):
        say(f"{why}; people whose titles were not read have no persona")


def tell_decisions(told: Told) -> None:
    """Whose word accounts went by where a model decides: none is asked in a simulation."""
    decided = told.summary.get("decisions")
    if decided is not None:
        say(
            f"no model was asked: {plural(sum(decided.values()), 'decision')}, {decided.get('recorded', 0)} by lines of "
            f"the events file, {decided.get('nobody', 0)} by nobody, which took {OTHERWISE}"
        )


def known_journey(directory: Path, workspace: Workspace, journey: str) -> None:
    """Whether the workspace has it."""
    if journey not in workspace.journeys:
        known = ", ".join(sorted(workspace.journeys)) or "none"
        raise UserError(
            f"{directory} has no journey {journey}{nearest(journey, workspace.journeys)}; it has {known}"
        )


@contextmanager
def progress_bar(journey: str) -> Iterator[Callable[[Moment], None]]:
    """A bar over virtual time on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[date]}  {task.fields[steps]} steps, {task.fields[inside]} inside"),
        TimeElapsedColumn(),
        console=stderr,
        transient=True,
    ) as bar:
        task = bar.add_task(journey, total=1.0, date="", steps=0, inside=0)

        def moved(moment: Moment) -> None:
            bar.update(
                task,
                completed=moment.share,
                date=f"{moment.at:%Y-%m-%d %H:%M}",
                steps=moment.steps,
                inside=moment.inside,
            )

        yield moved


def _end(until: str | None, begin: datetime) -> datetime | None:
    if until is None:
        return None
    end = instant(until)
    if end < begin:
        raise UserError(f"--until {until} is before the journey is published")
    return end


def lines_of(directory: Path, workspace: Workspace, events: Path | None) -> list[Line]:
    """What a file says happens meanwhile."""
    if events is None:
        return []
    lines, problems = read_file(events, workspace.catalog)
    if problems:
        raise refused(problems)
    return lines


def refused(problems: list[Problem]) -> UserError:
    """Tell what is wrong with those lines."""
    for problem in problems:
        say(f"{problem.file}:{problem.line}: {problem.severity} {problem.code}: {problem.message}")
    return UserError("what happens on the way cannot happen; mend those lines")
