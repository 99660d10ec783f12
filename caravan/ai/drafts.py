"""Drafts: files that a model wrote, checked with the workspace as if they lay in it."""

from collections.abc import Mapping
from datetime import datetime

from caravan.journeys.approval import CODE as UNAPPROVED
from caravan.journeys.limits import Limits
from caravan.journeys.problems import Problem
from caravan.journeys.workspace import Workspace, load_workspace


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
