"""Drafts: files that a model wrote, new ones inside the workspace, checked with it as if they lay in it."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from caravan.journeys.approval import CODE as UNAPPROVED
from caravan.journeys.limits import Limits
from caravan.journeys.problems import Problem
from caravan.journeys.workspace import Workspace, load_workspace

_FILE = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,62}/){0,2}[a-z0-9][a-z0-9_-]{0,62}\.ya?ml")


class Unconfined(Exception):
    """A file would lie outside the workspace."""


def is_fit(file: str) -> bool:
    """Whether it names a YAML file in folders of its own: small letters, digits and dashes, no dots, no root."""
    return _FILE.fullmatch(file) is not None


def inside(directory: Path, file: str) -> Path:
    """The path of a file of a workspace.

    Raises:
        Unconfined: a link or a name leads out of it.
    """
    path = directory / file
    if not path.parent.resolve().is_relative_to(directory.resolve()) or path.is_symlink():
        raise Unconfined(f"{file} would lie outside {directory}: it is not written")
    return path


def with_drafts(
    workspace: Workspace, drafts: Mapping[str, str], at: datetime, limits: Limits
) -> Workspace:
    """The workspace as it would be with these files."""
    return load_workspace(workspace.directory, at, limits, drafts)


def problems_of(workspace: Workspace, drafted: Workspace, drafts: Mapping[str, str]) -> list[str]:
    """What is wrong with drafts, as compilers tell it: warnings too, for there is somebody who can mend them at once.

    What was wrong before is not theirs, and that nobody has approved them yet is no fault of theirs.
    """
    before = set(workspace.problems)
    return [
        in_words(problem)
        for problem in drafted.problems
        if problem.code != UNAPPROVED
        and (problem.file in drafts or (problem.severity == "error" and problem not in before))
    ]


def in_words(problem: Problem) -> str:
    """A problem in one line."""
    what = f" [{problem.node}]" if problem.node else ""
    return (
        f"{problem.file}:{problem.line}: {problem.severity} {problem.code}: {problem.message}{what}"
    )
