"""``caravan test DIR``: run the tests that stand beside the journeys."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.workspace import Workspace
from caravan.simulation.expectations import Difference
from caravan.simulation.testing import Result, run_test
from starter.embedder import embedder
from starter.errors import FAILED, UserError
from starter.output import Format, FormatOption, as_json, plainly, plural
from starter.scratch import scratch_dsn
from starter.session import run
from starter.simulate import tell_titles_unread
from starter.validate import DirectoryArgument, runnable_workspace


def run_tests(
    directory: DirectoryArgument,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="A test by its name; may be given again.")
    ] = None,
    form: FormatOption = Format.table,
) -> None:
    """Run the `tests:` documents of a workspace, each in virtual time on stores of its own.

    A test gives the data a journey begins with and what happens, and says what must come of it: the path
    of an account, effects on its people, how it left. What it does not say is free. Exits 1 if any fails,
    and shows what was expected beside what came.

        tests: nurture-paths
        journey: nurture
        at: 2026-03-02T08:00:00Z
        given:
          accounts: [{account_id: a, name: A, industry: Energy}]
          people: [{person_id: p, email: p@a.example, account_id: a}]
          events: [{at: +2 days, type: email_clicked, person_id: p, template: welcome}]
        expect:
          - {account: a, path: [welcome, reply, hot], exit: completed, label: handed-over}
    """
    workspace = runnable_workspace(directory, datetime.now(UTC))
    chosen = _chosen(workspace, only or [])
    with scratch_dsn() as dsn:
        results = run(run_all(dsn, workspace, chosen))
    tell_titles_unread(result.titles_unread for result in results)
    if form is Format.json:
        print(as_json([as_row(result) for result in results]))
    else:
        show_results(directory, results)
    if any(not result.ok for result in results):
        sys.exit(FAILED)


async def run_all(dsn: str, workspace: Workspace, names: Sequence[str]) -> list[Result]:
    """Tests one after another."""
    reader = embedder()
    return [await run_test(dsn, workspace, workspace.tests[name], reader) for name in names]


def show_results(directory: Path, results: Sequence[Result]) -> None:
    """Each test, the failed ones with what was expected and what came."""
    for result in results:
        test = result.test
        if result.ok:
            plainly(
                f"ok    {test.tests}  ({test.journey}, {plural(len(test.expect), 'expectation')})"
            )
            continue
        plainly(f"FAIL  {test.tests}  ({test.journey})")
        for problem in result.problems:
            plainly(f"      {directory / test.file}: given: {problem}")
        place = None
        for difference in result.differences:
            if place != (difference.line, difference.account, difference.entry):
                place = (difference.line, difference.account, difference.entry)
                plainly(
                    f"      {directory / test.file}:{difference.line}: "
                    f"account {difference.account}, entry {difference.entry}"
                )
            for line in diff(difference):
                plainly(f"        {line}")
    failed = sum(not result.ok for result in results)
    if not results:
        plainly("no tests in this workspace: a document that begins with `tests:` is one")
    elif failed:
        plainly(f"{failed} of {plural(len(results), 'test')} failed")
    else:
        plainly(f"{plural(len(results), 'test')} ok")


def diff(difference: Difference) -> list[str]:
    """A difference as lines: what was expected with ``-``, what came with ``+``."""
    expected, got = difference.expected, difference.got
    match difference.what:
        case "path":
            return _path_diff(expected, got)
        case "effects":
            return [
                "effects",
                *(f"  - {_effect(effect)}" for effect in expected),
                *(f"  + {_effect(effect)}" for effect in _like(expected, got)),
            ]
        case "entry":
            return [f"- entry {expected}", "+ it did not enter so often"]
        case "exit":
            return [
                f"exit     - {expected or 'still inside'}",
                f"         + {got or 'still inside'}",
            ]
        case what:
            return [f"{what:<8} - {_said(expected)}", f"         + {_said(got)}"]


def as_row(result: Result) -> dict[str, Any]:
    """A result for programs."""
    return {
        "test": result.test.tests,
        "journey": result.test.journey,
        "file": result.test.file,
        "ok": result.ok,
        "problems": list(result.problems),
        "differences": [
            {
                "line": one.line,
                "account": one.account,
                "entry": one.entry,
                "what": one.what,
                "expected": one.expected,
                "got": one.got,
            }
            for one in result.differences
        ],
    }


def _path_diff(expected: list[str], got: list[str]) -> list[str]:
    """Both paths, with a mark under the first node that differs."""
    same = 0
    while same < min(len(expected), len(got)) and expected[same] == got[same]:
        same += 1
    ahead = len(" → ".join(expected[:same])) + (3 if same else 0)
    return [
        f"path     - {' → '.join(expected) or 'nothing'}",
        f"         + {' → '.join(got) or 'nothing'}",
        f"           {' ' * ahead}^",
    ]


def _like(expected: list[dict[str, Any]], got: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the effects that came, those that speak of the same node or person as one that did not."""
    wanted = [(effect.get("node"), effect.get("person")) for effect in expected]
    return [
        effect
        for effect in got
        if any(
            (node in (None, effect["node"])) and (person in (None, effect.get("person")))
            for node, person in wanted
        )
    ]


def _effect(effect: dict[str, Any]) -> str:
    words = [str(effect[key]) for key in ("node", "action", "person", "outcome") if key in effect]
    return " ".join(words) + (f" ({effect['reason']})" if effect.get("reason") else "")


def _said(value: object) -> str:
    return "none" if value is None else str(value)


def _chosen(workspace: Workspace, only: Sequence[str]) -> list[str]:
    for name in only:
        if name not in workspace.tests:
            known = ", ".join(sorted(workspace.tests)) or "none"
            raise UserError(f"no test {name}{nearest(name, workspace.tests)}; there are {known}")
    return [name for name in sorted(workspace.tests) if not only or name in only]
