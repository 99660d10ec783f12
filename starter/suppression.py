"""``caravan suppression add|remove|import|export``: changes of the suppression list, and it as a file."""

import csv
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.campaigns.suppression_lists import COLUMNS, ListFile, ListReport, everything, take_in
from caravan.engage import sql
from caravan.engage import suppressions as stored
from caravan.journeys.suppressing import read_subject
from starter.errors import Interrupted, UserError
from starter.output import Format, FormatOption, as_instant, as_json, plainly, plural, say
from starter.progress import bar, follow
from starter.session import Session, SubscriptionOption, run_with
from starter.suppressions import Reason, ReasonOption

app = typer.Typer(
    no_args_is_help=True,
    help="The suppression list: what nothing is sent to. `caravan suppressions` lists it.",
)

Subjects = Annotated[
    list[str],
    typer.Argument(help="Addresses, domains (with those beneath them), numbers as +46701234567."),
]


@app.callback()
def _group() -> None:
    """The suppression list: what nothing is sent to."""


@app.command("add")
def add(
    subjects: Subjects,
    why: Annotated[str, typer.Option("--why", help="In words, for whoever asks later.")],
    reason: Annotated[
        Reason, typer.Option("--reason", help="As `caravan suppressions` tells it.")
    ] = Reason.blocked,
    subscription: SubscriptionOption = None,
) -> None:
    """Suppress addresses, domains or numbers: nothing is sent there from the next message on.

    `caravan suppression add rival.example ada@acme.example --why "asked by sales"`
    """
    wanted = [_read(subject) for subject in subjects]

    async def body(session: Session) -> None:
        pool = await session.engage()
        added = await stored.add(
            pool, wanted, reason, source="by hand", at=datetime.now(UTC), why=why
        )
        plainly(f"{plural(added, 'subject')} suppressed, {len(set(wanted)) - added} were already")

    run_with(subscription, body)


@app.command("remove")
def remove(
    subjects: Subjects,
    why: Annotated[str, typer.Option("--why", help="In words, for whoever asks later.")],
    subscription: SubscriptionOption = None,
) -> None:
    """Take addresses, domains or numbers off the list. What people said about consent stays."""
    wanted = [_read(subject) for subject in subjects]

    async def body(session: Session) -> None:
        pool = await session.engage()
        gone = await stored.remove(pool, wanted, why=why, at=datetime.now(UTC))
        missing = [subject for subject in wanted if subject not in gone]
        plainly(f"{plural(len(gone), 'subject')} suppressed no more")
        if missing:
            raise UserError(f"not on the list: {', '.join(missing)}")

    run_with(subscription, body)


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="A CSV file.", exists=True, dir_okay=False)],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done, and do nothing.")
    ] = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Suppress all that a CSV file lists: one column of addresses, domains or numbers, with or without a header.

    With a header the column is called `subject`, `address`, `email`, `domain` or `phone`; `reason`, `why`,
    `source` and `added_at` may stand beside it, as `export` writes them. What is on the list already stays as it is.
    Bad rows are told and the rest loads; exits 2 if there were any. Interrupted, what was loaded stays.
    """

    async def body(session: Session) -> ListReport:
        source = ListFile(file, f"import of {file.name}", datetime.now(UTC))
        pool = await session.engage()
        with bar() as progress:
            return await take_in(pool, source, follow(progress), dry_run=dry_run)

    try:
        report = run_with(subscription, body)
    except KeyboardInterrupt:
        raise Interrupted("interrupted; what was loaded stays, import again to go on") from None
    _tell(report, form, dry_run)


def _tell(report: ListReport, form: Format, dry_run: bool) -> None:
    if form is Format.json:
        problems = [
            {"file": bad.file, "line": bad.line, "reason": bad.reason, "severity": "error"}
            for bad in report.bad
        ]
        counts: dict[str, Any] = {"new": report.new, "unchanged": report.unchanged}
        told = {"file": report.file, **counts, "bad": len(report.bad), "dry_run": dry_run}
        print(as_json({"files": [told], "problems": problems}))
    else:
        for bad in report.bad:
            say(f"{bad.file}:{bad.line}: error: {bad.reason}")
        would = "would be " if dry_run else ""
        plainly(
            f"{report.new} {would}suppressed, {report.unchanged} were already, {len(report.bad)} bad"
        )
    if report.bad:
        raise UserError("some rows were not loaded; the rest was. Mend them and import again"
                        if not dry_run else "some rows are bad")  # fmt: skip


@app.command("export")
def export(
    out: Annotated[
        Path | None, typer.Option("--out", help="The file to write; absent: standard output.")
    ] = None,
    reason: ReasonOption = None,
    subscription: SubscriptionOption = None,
) -> None:
    """Write the suppression list as CSV, by subject; `import` reads it."""

    async def body(session: Session) -> int:
        pool = await session.engage()
        total = sum(row["subjects"] for row in await sql.fetch(pool, "suppression_counts"))
        if out is None:
            return await _write(sys.stdout, everything(pool, reason), None, total)
        with out.open("w", encoding="utf-8", newline="") as stream, bar("subjects") as progress:
            return await _write(stream, everything(pool, reason), follow(progress), total)

    count = run_with(subscription, body)
    if out is not None:
        plainly(f"{out}: {plural(count, 'subject')}")


async def _write(stream: Any, rows: AsyncIterator[Any], told: Any, total: int) -> int:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    async for row in rows:
        values = {**row, "added_at": as_instant(row["added_at"])}
        writer.writerow([values[name] or "" for name in COLUMNS])
        count += 1
        if told is not None and count % 5000 == 0:
            told("suppressions", count, count, total)
    return count


def _read(text: str) -> str:
    try:
        return read_subject(text)
    except ValueError as error:
        raise UserError(f"{text!r} {error}") from None
