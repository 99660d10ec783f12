"""What commands print: a table for people, JSON for programs, the same rows in both.

On a terminal too narrow for the table each row becomes a short paragraph instead of a column of
broken words; into a pipe tables keep their full width, so that ``grep`` finds whole lines.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from caravan.journeys.unseen import in_one_line
from caravan.reports.readable import is_instant, readable


class Format(StrEnum):
    """How to print."""

    table = "table"
    json = "json"


FormatOption = Annotated[
    Format, typer.Option("--format", help="table for people, json for programs.")
]

#: rows that a listing may be asked for
MOST = 1_000_000
#: wider than any table: what goes into a pipe is not broken
UNBROKEN = 10_000


def _console(stream: Any, *, stderr: bool = False) -> Console:
    breaks = stream.isatty() or "COLUMNS" in os.environ
    return Console(stderr=stderr, width=None if breaks else UNBROKEN)


console = _console(sys.stdout)
stderr = _console(sys.stderr, stderr=True)


def show(
    rows: Sequence[Mapping[str, Any]],
    form: Format,
    *,
    title: str = "",
    columns: Sequence[str] | None = None,
    empty: str = "nothing",
) -> None:
    """Print rows; ``columns`` orders and restricts the table, JSON has everything."""
    if form is Format.json:
        print(as_json([dict(row) for row in rows]))
        return
    if title:
        console.print(f"[bold]{escape(title)}[/bold]")
    if not rows:
        console.print(empty, markup=False, highlight=False)
        return
    wanted = list(columns or rows[0].keys())
    shown = [name for name in wanted if any(cell(row.get(name)) for row in rows)]
    table, narrowest = _table(rows, shown)
    if narrowest <= console.width:
        console.print(table)
    else:
        _paragraphs(rows, shown)


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> tuple[Table, int]:
    """The table, and how narrow it can be without breaking a word."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    narrowest = 3 * (len(columns) - 1)
    for name in columns:
        values = [row.get(name) for row in rows if row.get(name) is not None]
        numeric = all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in values
        )
        texts = [Text.from_markup(cell(value)).plain for value in values]
        whole = any(is_instant(value) for value in values)
        heading = name.replace("_", " " if len(name) <= max(map(cell_len, texts)) else "\n")
        parts = [heading.split()] + [[text] if whole else text.split() for text in texts]
        width = max(cell_len(word) for words in parts for word in words or [""])
        narrowest += width
        table.add_column(
            heading, justify="right" if numeric else "left", min_width=width, no_wrap=whole
        )
    for row in rows:
        table.add_row(*(cell(row.get(name)) for name in columns))
    return table, narrowest


def _paragraphs(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    head, *rest = columns
    for row in rows:
        console.print(f"[bold]{cell(row.get(head)) or '-'}[/bold]", highlight=False)
        told = Text()
        for name in rest:
            value = cell(row.get(name))
            if value:
                told.append("   " if told else "")
                told.append(name.replace("_", " ") + " ", style="dim")
                told.append(Text.from_markup(value))
        console.print(Padding(told, (0, 0, 0, 2), expand=False), highlight=False)


def as_json(value: Any) -> str:
    """JSON with instants in RFC 3339 UTC; ASCII where the output has nothing else."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return json.dumps(value, ensure_ascii=not encoding.startswith("utf"), default=_plain)


def cell(value: Any) -> str:
    """A value as a person reads it, safe inside markup: data cannot colour or move anything."""
    return escape(readable(value))


def plainly(line: str) -> None:
    """One line to stdout, as it is."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """One line to stderr, as it is: never wrapped, never marked up."""
    print(in_one_line(line), file=sys.stderr)  # there may be a hundred thousand bad rows


def as_instant(at: datetime) -> str:
    """RFC 3339, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> str | int | float:
    if isinstance(value, datetime):
        return as_instant(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def plural(count: int, what: str) -> str:
    """``1 journey``, ``2 journeys``."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def counted(counts: Iterable[tuple[str, int]]) -> str:
    """``3 accepted, 1 skipped``."""
    return ", ".join(f"{count} {what}" for what, count in counts)
