"""``caravan validate DIR``: every problem of a workspace, with file, line and remedy."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.problems import Problem
from caravan.journeys.templates import TemplateDocument
from caravan.journeys.workspace import Workspace, load_workspace
from caravan.limit_settings import read_limits
from starter.errors import BAD_INPUT, UserError
from starter.output import Format, FormatOption, as_json, plainly, plural, say

DirectoryArgument = Annotated[
    Path, typer.Argument(help="The workspace: a folder of YAML files and templates.")
]


def validate(
    directory: DirectoryArgument,
    at: Annotated[
        str | None,
        typer.Option("--at", help="The instant of publishing that schedules are checked against."),
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """Check a workspace: all problems at once. Exits 2 if any is an error.

    `caravan validate DIR --format json` prints a list of `file`, `line`, `document`, `node`, `code`,
    `message` and `severity` for other tools.
    """
    workspace = read_workspace(directory, instant(at))
    problems = list(workspace.problems)
    if form is Format.json:
        print(as_json([problem.model_dump() for problem in problems]))
    else:
        tell(directory, problems)
        if not workspace.errors:
            plainly(
                f"{directory} is fine: {plural(len(workspace.journeys), 'journey')}, "
                f"{plural(len(workspace.audiences), 'audience')}, "
                f"{plural(len(workspace.templates), 'e-mail template')}"
            )
    if workspace.errors and form is Format.table:
        raise UserError(f"{errors_in_words(workspace)}; mend them before `caravan apply`")
    if workspace.errors:
        sys.exit(BAD_INPUT)


def tell(directory: Path, problems: list[Problem]) -> None:
    """Print problems as compilers do: editors make links of them."""
    for problem in problems:
        where = f"{directory / problem.file}:{problem.line}"
        what = f" [{problem.node}]" if problem.node else ""
        say(f"{where}: {problem.severity} {problem.code}: {problem.message}{what}")


def errors_in_words(workspace: Workspace) -> str:
    return plural(len(workspace.errors), "error")


def read_workspace(directory: Path, at: datetime) -> Workspace:
    """The workspace in a folder, checked as the limits of this installation say."""
    return load_workspace(existing(directory), at, read_limits())


def runnable_workspace(directory: Path, at: datetime) -> Workspace:
    """The workspace in a folder, as it can run. What only waits for approval can be rehearsed, though not published.

    Raises:
        UserError: it has faults, which are told one by one before.
    """
    workspace = read_workspace(directory, at)
    if workspace.faults:
        tell(directory, workspace.faults)
        raise UserError(f"{plural(len(workspace.faults), 'error')}; mend them first")
    return workspace


def known_template(directory: Path, workspace: Workspace, slug: str) -> TemplateDocument:
    """The e-mail template of a name.

    Raises:
        UserError: there is none, or it has errors, which are told one by one before.
    """
    if slug in workspace.templates:
        return workspace.templates[slug]
    if wrong := [one for one in workspace.errors if one.document == f"email:{slug}"]:
        tell(directory, wrong)
        raise UserError(f"E-mail {slug} has errors; mend them first")
    raise UserError(f"No e-mail {slug} in {directory}{nearest(slug, set(workspace.templates))}")


def existing(directory: Path) -> Path:
    if not directory.is_dir():
        raise UserError(f"{directory} is no folder; give the folder of the workspace")
    if not os.access(directory, os.R_OK | os.X_OK):
        raise UserError(
            f"{directory} cannot be read; give yourself the right to, or another folder"
        )
    return directory


def instant(text: str | None) -> datetime:
    """``--at``, or now."""
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text} is not an instant, for example 2026-03-02T08:00:00Z") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
