"""``caravan import``: accounts, people, relations, opportunities and events into the sandbox."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.journeys.durations import parse_duration
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.workspace import Workspace
from caravan.limit_settings import read_limits
from caravan.platform import imported_files, running_imports
from caravan.platform.dry_run import dry_run
from caravan.platform.file_maps import FILES as UNNAMED
from caravan.platform.import_report import FileReport
from caravan.platform.imports import Importer
from caravan.platform.source_files import BadRow
from starter.embedder import embedder
from starter.errors import Interrupted, UserError
from starter.import_files import Choice, Chosen
from starter.output import Format, FormatOption, as_json, console, plainly, plural, say, show
from starter.progress import bar, follow
from starter.session import Session, SubscriptionOption, run_with

#: so many merges are listed for people; `--format json` has more
SHOWN = 20
SECONDS_OF = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


def import_data(
    paths: Annotated[
        list[Path],
        typer.Argument(help="A workspace, a folder of data files, or single files by their names."),
    ],
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", help="The workspace whose custom fields the files have."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            help="Who says it: a name that stands before its ids (crm:17). Absent: ids are as written.",
        ),
    ] = None,
    map_: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="A YAML file with the source's document: its columns, values and dates as ours."
            " Absent: that of the workspace, if it has one.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Tell what would come of it, and change nothing."),
    ] = False,
    new: Annotated[
        bool,
        typer.Option("--new", help="Only files whose content the source has not brought yet."),
    ] = False,
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            help="Go on: look for new files again after this long, for example '15 minutes'.",
        ),
    ] = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Import data files: accounts.csv, people.csv, relations.csv, opportunities.csv, events.jsonl.

    Rows that have not changed since the last import are not applied again, changed ones write only what
    changed, and a bad row is reported while the rest loads. Exits 2 if any row was bad. Interrupted,
    what was loaded stays: run it again to go on. A row that is missing deletes nothing; `is_deleted` (true) in any CSV
    flags its record as deleted, and a row without it brings it back.

    `caravan import data/ --workspace .` reads a folder with the custom fields of a workspace, into its own sandbox.

    `caravan import exports/ --source crm --map crm.yaml --dry-run` tells what a CRM's files would change, and
    whom rules of the workspace (`identity:`) would make one. `--new` in a scheduler's line, or `--every 15 minutes`,
    takes in what has come into the folder since.
    """
    pause = _pause(every)
    if (new or pause is not None) and source is None:
        raise UserError("--new and --every are about the files of a source: name it with --source")
    if dry_run and pause is not None:
        raise UserError("--dry-run looks once: leave out --every")
    only_new = new or pause is not None
    choice = Choice(paths, workspace, source, map_, may_be_empty=only_new)
    run = _Import(choice, source or UNNAMED, dry_run=dry_run, only_new=only_new)
    bad = False

    async def body(session: Session) -> None:
        nonlocal bad
        while True:
            reports = await run.once(session)
            bad = any(report.bad for report in reports)
            if reports or pause is None:
                _tell(reports, form, dry_run)
            if pause is None:
                return
            await asyncio.sleep(pause)

    try:
        run_with(choice.subscription(subscription), body)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; what was loaded stays, import again to go on") from None
    if bad:
        raise UserError(
            "some rows would not be loaded: mend them first"
            if dry_run
            else "some rows were not loaded; the rest was. Mend them and import again"
        )


@dataclass(frozen=True)
class _Import:
    """One import, done once or again and again."""

    choice: Choice
    source: str
    dry_run: bool
    only_new: bool

    async def once(self, session: Session) -> list[FileReport]:
        files, catalog = self.choice.files(), self.choice.catalog()
        async with AsyncExitStack() as stack:
            pool: Any = await session.platform()
            if self.dry_run:
                pool = await stack.enter_async_context(dry_run(pool))
            elif len(files) > 1:
                await stack.enter_async_context(running_imports.running(pool))
            progress = stack.enter_context(bar())
            return [
                report
                for chosen in files
                if (report := await self._file(session, pool, chosen, catalog, follow(progress)))
            ]

    async def _file(
        self, session: Session, pool: Any, chosen: Chosen, catalog: FieldCatalog, moved: Any
    ) -> FileReport | None:
        """One file; None where the source has brought it before."""
        digest = b""
        if self.only_new:
            digest = await asyncio.to_thread(imported_files.digest_of, chosen.path, chosen.whose)
        if self.only_new and await imported_files.is_known(pool, self.source, chosen.path, digest):
            return None
        now = datetime.now(UTC)
        importer = Importer(
            pool,
            catalog,
            now,
            moved,
            session.erasure_key(),
            read_limits(),
            chosen.whose,
            None if self.dry_run else embedder(),
        )
        report = await importer.file(chosen.path)
        if self.only_new:
            await imported_files.note(pool, self.source, chosen.path, digest, now)
        return report


def _pause(every: str | None) -> float | None:
    """Seconds between two looks."""
    if every is None:
        return None
    span = parse_duration(every)
    if span is None or span.unit not in SECONDS_OF:
        raise UserError(f"--every takes a duration such as '15 minutes' or '1 hour', not {every!r}")
    return float(span.count * SECONDS_OF[span.unit])


async def import_workspace(
    session: Session, workspace: Workspace, progress: Any
) -> list[FileReport]:
    """The data of a workspace, if it names any."""
    if workspace.data is None or not workspace.data.is_dir():
        return []
    pool = await session.platform()
    importer = Importer(
        pool,
        workspace.catalog,
        datetime.now(UTC),
        follow(progress),
        session.erasure_key(),
        read_limits(),
        embedder=embedder(),
    )
    async with running_imports.running(pool):
        return await importer.directory(workspace.data)


def _tell(reports: list[FileReport], form: Format, dry_run: bool) -> None:
    rows = [
        {
            "file": report.file,
            "new": report.new,
            "changed": report.changed,
            "unchanged": report.unchanged,
            "deleted": report.deleted,
            "returned": report.returned,
            "merged": report.merged,
            "bad": len(report.bad),
        }
        for report in reports
    ]
    matches = [
        {"record": one.record, "like": one.like, "rule": one.rule, "by": dict(one.matched)}
        for report in reports
        for one in report.matches
    ]
    if form is Format.json:
        problems = [
            {"file": row.file, "line": row.line, "reason": row.reason, "severity": severity}
            for report in reports
            for severity, row in _told_rows(report)
        ]
        told = {"dry_run": dry_run, "files": rows, "matches": matches, "problems": problems}
        print(as_json(told))
        return
    tell_bad_rows(reports)
    show(
        rows,
        form,
        title="Nothing was changed; this would come of it" if dry_run else "",
        empty="no new files",
    )
    if matches:
        console.print()
        title = "Would be one" if dry_run else "Made one"
        show(matches[:SHOWN], form, title=title, columns=("record", "like", "rule", "by"))
    if len(matches) > SHOWN:
        plainly(f"and more: {plural(sum(report.merged for report in reports), 'merge')} in all")


def tell_bad_rows(reports: list[FileReport]) -> None:
    """Each bad row with file, line and reason."""
    for report in reports:
        for severity, row in _told_rows(report):
            say(f"{row.file}:{row.line}: {severity}: {row.reason}")


def _told_rows(report: FileReport) -> list[tuple[str, BadRow]]:
    return [("warning", row) for row in report.warnings] + [("error", row) for row in report.bad]
