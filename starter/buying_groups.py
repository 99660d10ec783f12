"""``caravan buying-groups``: which groups there are, by what they lack and how far they are; for sales as CSV."""

import csv
import sys
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.buying_groups.listing import Filters, groups
from starter.errors import UserError
from starter.group_names import (
    check_role,
    check_roles_template,
    check_solution_interest,
    check_stage,
)
from starter.group_rows import COLUMNS, CSV_COLUMNS, csv_cells, for_people, group_row
from starter.output import MOST, Format, as_json, plainly, plural, say, show
from starter.progress import bar, count
from starter.session import Session, SubscriptionOption, run_with

#: rows of a table unless told otherwise
TABLE_ROWS = 1000


class Form(StrEnum):
    """How to print groups."""

    table = "table"
    json = "json"
    csv = "csv"


def _score(name: str, text: str) -> Any:
    return typer.Option(name, min=0, max=100, help=f"{text}, exactly (66.6 is less than 67).")


def buying_groups(
    solution_interest: Annotated[
        str | None, typer.Option("--solution-interest", help="Of this solution interest.")
    ] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="In this stage now.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="With this status.")] = None,
    min_completeness: Annotated[
        float | None, _score("--min-completeness", "Completeness at least")
    ] = None,
    max_completeness: Annotated[
        float | None, _score("--max-completeness", "Completeness at most")
    ] = None,
    min_engagement: Annotated[
        float | None, _score("--min-engagement", "Engagement at least")
    ] = None,
    max_engagement: Annotated[
        float | None, _score("--max-engagement", "Engagement at most")
    ] = None,
    unassigned_role: Annotated[
        list[str] | None,
        typer.Option(
            "--unassigned-role",
            help="Nobody plays this role; given several times: one of them is enough.",
        ),
    ] = None,
    qualified: Annotated[
        bool | None,
        typer.Option("--qualified/--not-qualified", help="Marketing-qualified, or not yet."),
    ] = None,
    roles_template: Annotated[
        str | None, typer.Option("--roles-template", help="With the roles of this template.")
    ] = None,
    account: Annotated[str | None, typer.Option("--account", help="Of this account.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", min=1, max=MOST, help="How many at most: 1000 in a table, else all."
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="Write CSV to this file, for a spreadsheet or a CRM."),
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="table for people, json and csv for programs.")
    ] = Form.table,
    subscription: SubscriptionOption = None,
) -> None:
    """List buying groups. A group is listed if it meets every filter.

    `caravan buying-groups --solution-interest grid --qualified --export ready.csv` is the hand-off to sales;
    `--unassigned-role decision-maker` finds the accounts where nobody decides yet.

    Completeness and engagement are shown rounded half up, and in full in JSON. CSV has a row for each group,
    with the account's id and name first; a text that a spreadsheet could take for a formula begins with an
    apostrophe. A role is empty where a group's template has it and nobody plays it.
    """
    _fit("completeness", min_completeness, max_completeness)
    _fit("engagement", min_engagement, max_engagement)
    if export is not None and form is Form.json:
        raise UserError("--export writes CSV; leave --format away, or send JSON to a file with >")
    filters = Filters(
        account=account,
        solution_interest=solution_interest,
        roles_template=roles_template,
        stage=stage,
        status=status,
        min_completeness=_exact(min_completeness),
        max_completeness=_exact(max_completeness),
        min_engagement=_exact(min_engagement),
        max_engagement=_exact(max_engagement),
        qualified=qualified,
        unassigned=tuple(unassigned_role) if unassigned_role else None,
    )

    async def body(session: Session) -> None:
        pool = await session.engage()
        await check_solution_interest(pool, solution_interest)
        await check_roles_template(pool, roles_template)
        await check_stage(pool, stage)
        for role in unassigned_role or []:
            await check_role(pool, role)
        if export is not None:
            written = await _export(groups(pool, filters, limit), export)
            plainly(f"{plural(written, 'group')} written to {export}")
        elif form is Form.csv:
            if isinstance(sys.stdout, TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")  # data: no letter becomes a ?
            await _write_csv(groups(pool, filters, limit), sys.stdout)
        elif form is Form.json:
            await _print_json(groups(pool, filters, limit))
        else:
            most = limit or TABLE_ROWS
            rows = [for_people(group_row(row)) async for row in groups(pool, filters, most + 1)]
            empty = "no such groups" if filters != Filters() else NONE
            show(rows[:most], Format.table, columns=COLUMNS, empty=empty)
            if len(rows) > most:
                say(f"the first {most}; --limit shows more, --export FILE.csv writes all")

    run_with(subscription, body)


NONE = "no buying groups; a document `buying_groups:` in a workspace makes one for each account of an audience"


async def _print_json(rows: AsyncIterator[Any]) -> None:
    """A list, printed as it is read."""
    before = "["
    async for row in rows:
        print(before + as_json(group_row(row)), end="")
        before = ",\n"
    print("[]" if before == "[" else "]")


async def _export(rows: AsyncIterator[Any], file: Path) -> int:
    """To a file beside it first: an interrupted export leaves what was there."""
    if not file.parent.is_dir():
        raise UserError(f"{file.parent} is no folder; make it, or give another file")
    part = file.with_name(file.name + ".part")
    try:
        with (
            part.open("w", encoding="utf-8", newline="") as out,
            bar("groups", transient=True) as progress,
        ):
            written = await _write_csv(rows, out, count(progress))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return written


async def _write_csv(
    rows: AsyncIterator[Any], out: Any, told: Callable[[str, int], None] = lambda *_: None
) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    written = 0
    async for row in rows:
        writer.writerow(csv_cells(row))
        written += 1
        told("exporting", written)
    return written


def _exact(value: float | None) -> Decimal | None:
    return Decimal(str(value)) if value is not None else None


def _fit(what: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        raise UserError(f"No {what} is at least {least:g} and at most {most:g}; swap the two")
