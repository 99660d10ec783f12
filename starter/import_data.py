"""``caravan import``: accounts, people, relations, opportunities and events into the sandbox."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.journeys.fields import FieldCatalog
from caravan.journeys.workspace import Workspace
from caravan.limit_settings import read_limits
from caravan.platform.imports import FILES, FileReport, Importer
from caravan.platform.source_files import BadRow
from starter.errors import Interrupted, UserError
from starter.output import Format, FormatOption, as_json, say, show
from starter.progress import bar, follow
from starter.session import Session, SubscriptionOption, run_with
from starter.validate import read_workspace


def import_data(
    paths: Annotated[
        list[Path],
        typer.Argument(help="A workspace, a folder of data files, or single files by their names."),
    ],
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", help="The workspace whose custom fields the files have."),
    ] = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Import data files: accounts.csv, people.csv, relations.csv, opportunities.csv, events.jsonl.

    Rows that have not changed since the last import are not applied again, changed ones write only what
    changed, and a bad row is reported while the rest loads. Exits 2 if any row was bad. Interrupted,
    what was loaded stays: run it again to go on. A row that is missing deletes nothing; `is_deleted` (true) in any CSV
    flags its record as deleted, and a row without it brings it back.

    `caravan import data/ --workspace .` reads a folder with the custom fields of a workspace.
    """

    async def body(session: Session) -> list[FileReport]:
        files, catalog = _files(paths, workspace)
        with bar() as progress:
            importer = Importer(
                await session.platform(),
                catalog,
                datetime.now(UTC),
                follow(progress),
                session.erasure_key(),
                read_limits(),
            )
            return [await importer.file(file) for file in files]

    try:
        reports = run_with(subscription, body)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; what was loaded stays, import again to go on") from None
    _tell(reports, form)
    if any(report.bad for report in reports):
        raise UserError("some rows were not loaded; the rest was. Mend them and import again")


async def import_workspace(
    session: Session, workspace: Workspace, progress: Any
) -> list[FileReport]:
    """The data of a workspace, if it names any."""
    if workspace.data is None or not workspace.data.is_dir():
        return []
    importer = Importer(
        await session.platform(),
        workspace.catalog,
        datetime.now(UTC),
        follow(progress),
        session.erasure_key(),
        read_limits(),
    )
    return await importer.directory(workspace.data)


def _files(paths: list[Path], workspace: Path | None) -> tuple[list[Path], FieldCatalog]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inner = read_workspace(path, datetime.now(UTC))
            folder = inner.data if inner.data is not None else path
            found = [folder / name for name in FILES if (folder / name).exists()]
            if not found:
                raise UserError(f"{folder} has none of {', '.join(FILES)}")
            files += found
            if inner.data is not None and workspace is None:
                workspace = path
        elif not path.exists():
            raise UserError(f"{path} does not exist; give a folder, or files by their names")
        elif path.name not in FILES and path.suffix != ".jsonl":
            raise UserError(
                f"{path.name} is none of {', '.join(FILES)}; the name says what a file holds"
            )
        else:
            files.append(path)
    catalog = FieldCatalog()
    if workspace is not None:
        catalog = read_workspace(workspace, datetime.now(UTC)).catalog
    order = {name: number for number, name in enumerate(FILES)}
    return sorted(files, key=lambda file: order.get(file.name, len(FILES))), catalog


def _tell(reports: list[FileReport], form: Format) -> None:
    rows = [
        {
            "file": report.file,
            "new": report.new,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "bad": len(report.bad),
        }
        for report in reports
    ]
    if form is Format.json:
        problems = [
            {"file": row.file, "line": row.line, "reason": row.reason, "severity": severity}
            for report in reports
            for severity, row in _told_rows(report)
        ]
        print(as_json({"files": rows, "problems": problems}))
        return
    tell_bad_rows(reports)
    show(rows, form)


def tell_bad_rows(reports: list[FileReport]) -> None:
    """Each bad row with file, line and reason."""
    for report in reports:
        for severity, row in _told_rows(report):
            say(f"{row.file}:{row.line}: {severity}: {row.reason}")


def _told_rows(report: FileReport) -> list[tuple[str, BadRow]]:
    return [("warning", row) for row in report.warnings] + [("error", row) for row in report.bad]
