"""Running a ``tests:`` document: its data on throw-away stores, and what came of it against what must."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from caravan.journeys.documents import TestsDocument
from caravan.journeys.documents.tests import RECORDS, TimedRow, When
from caravan.journeys.fields import Entity
from caravan.journeys.time import shift
from caravan.journeys.workspace import Workspace
from caravan.personas.embedding import Embedder
from caravan.platform.event_lines import EventRow, read_event
from caravan.platform.record_changes import BadChange, as_cell, read_change
from caravan.simulation.expectations import Difference, differences
from caravan.simulation.lines import Line
from caravan.simulation.run import Asked, BadLines
from caravan.simulation.told import simulate


@dataclass(frozen=True)
class Result:
    """What became of one document."""

    test: TestsDocument
    differences: Sequence[Difference]
    problems: Sequence[str] = ()  # of what is given: it could not be run as it was meant
    steps: int = 0
    titles_unread: str | None = None  # why its people have no persona

    @property
    def ok(self) -> bool:
        return not self.differences and not self.problems


async def run_test(
    dsn: str, workspace: Workspace, test: TestsDocument, embedder: Embedder
) -> Result:
    """Run one document.

    Args:
        dsn: a database for throw-away stores.
        workspace: without errors.
        test: one of its documents.
        embedder: reads job titles, where there are personas.
    """
    zone = workspace.journeys[test.journey].zone
    lines, problems = _lines(workspace, test, zone)
    if problems:
        return Result(test, [], problems)
    with TemporaryDirectory(prefix="caravan-test-") as folder:
        _write_records(Path(folder), test.given.records)
        asked = Asked(
            workspace,
            test.journey,
            test.at,
            _instant(test.until, test.at, zone) if test.until is not None else None,
            Path(folder),
            lines,
            embedder=embedder,
        )
        try:
            told = await simulate(dsn, asked)
        except BadLines as error:
            return Result(test, [], [problem.message for problem in error.problems])
    problems = [bad.reason for report in told.ran.reports for bad in report.bad]
    ran = told.ran
    return Result(test, differences(test, told), problems, ran.steps, ran.titles_unread)


def _write_records(folder: Path, records: Mapping[Entity, Sequence[Mapping[str, Any]]]) -> None:
    """The data files an import takes: that they are read as production's are is part of the test."""
    for entity, (name, ids, _) in RECORDS.items():
        rows = records.get(entity, ())
        if not rows:
            continue
        columns = list(dict.fromkeys([*ids, *(key for row in rows for key in row)]))
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)


def _cell(value: object) -> str:
    return ";".join(value) if isinstance(value, list) else as_cell(value)


def _lines(workspace: Workspace, test: TestsDocument, zone: str) -> tuple[list[Line], list[str]]:
    lines: list[Line] = []
    problems: list[str] = []
    for number, timed in enumerate(test.given.events, 1):
        at = _instant(timed.at, test.at, zone)
        # each of them happens, also where two say the same
        said = {"id": f"{test.tests}/{number}", **timed.row, "at": at.isoformat()}
        event = read_event(json.dumps(said), number, test.file)
        if isinstance(event, EventRow):
            lines.append(Line(at, event, test.file, number))
        else:
            problems.append(f"event {number}: {event.reason}")
    for number, timed in enumerate(test.given.changes, 1):
        at = _instant(timed.at, test.at, zone)
        try:
            lines.append(Line(at, _change(timed, workspace), test.file, number))
        except BadChange as error:
            problems.append(f"change {number}: {error}")
    return lines, problems


def _change(timed: TimedRow, workspace: Workspace) -> Any:
    row = timed.row
    return read_change(row["change"], row["id"], row["set"], workspace.catalog)


def _instant(when: When, begin: datetime, zone: str) -> datetime:
    return when if isinstance(when, datetime) else shift(begin, when, zone)
