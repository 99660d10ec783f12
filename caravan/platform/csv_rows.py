"""A CSV file of records, read row by row: what each cell says, and what is wrong with it."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from caravan.journeys.conditions.operators import UnfitOperand
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.documents.source import AS_OF, IS_DELETED
from caravan.journeys.fields import FieldType
from caravan.journeys.limits import USUAL, Limits
from caravan.platform.cells import parser_of
from caravan.platform.file_maps import FileSource, ReadColumns, as_of, missing_columns, read_columns
from caravan.platform.source_files import NOT_UTF8, BadRow, Counted, bad_id, is_text

#: columns that name records
ID_COLUMNS = ("account_id", "person_id", "opportunity_id")


@dataclass(frozen=True)
class Row:
    """One good row: ids as everybody knows them, cells as values (an empty one null).

    ``at``: since when it says so, where the row itself tells.
    """

    id: str
    cells: dict[str, Any]
    digest: bytes
    line: int
    account: str | None = None
    person: str | None = None
    roles: tuple[str, ...] | None = None
    at: datetime | None = None
    is_deleted: bool = False


@dataclass
class CsvSource:
    """A CSV file with a header; ``now``: what it says is not said later than this."""

    path: Path
    id_columns: tuple[str, ...]
    types: dict[str, FieldType]
    now: datetime
    optional: tuple[str, ...] = ()
    whose: FileSource = field(default_factory=FileSource)
    longest: dict[str, str] = field(default_factory=dict)  # columns, and the limit of each
    limits: Limits = USUAL
    problems: list[BadRow] = field(default_factory=list)
    warnings: list[BadRow] = field(default_factory=list)
    bytes_read: int = 0

    def rows(self) -> Iterator[Row]:
        """The good rows in order; the bad ones go to ``problems``."""
        with self.path.open("rb") as raw:
            # what is not UTF-8 comes through as lone surrogates, so that a bad row is that row alone
            text = io.TextIOWrapper(
                io.BufferedReader(Counted(raw, self)),
                encoding="utf-8-sig",
                errors="surrogateescape",
                newline="",
            )
            separator = self.whose.map.separator if self.whose.map is not None else ","
            yield from self._rows(csv.reader(text, strict=True, delimiter=separator))

    def _rows(self, reader: Any) -> Iterator[Row]:
        header: list[str] | None = None
        while True:
            line = reader.line_num + 1  # a quoted cell may span lines: a row is where it begins
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                self._bad(line, _why_unreadable(error, line, reader.line_num))
                continue
            if header is None:
                header = written = [name.strip() for name in cells]
                if not self._check_map(written):
                    return
                columns = self._columns(written)
                if columns is not None:
                    header = columns.names
                if not self._check_header(header):
                    return
                parsers = [parser_of(self.types.get(name)) for name in header]
            elif any(cells):
                ours = self._cells(written, columns, cells, line)
                row = self._row(header, parsers, ours, line) if ours is not None else None
                if row is not None:
                    yield row
        if header is None and not self.problems:
            self._bad(1, "the file is empty: a line with the columns' names was expected")

    def _check_map(self, header: list[str]) -> bool:
        """Whether the file is one that the source's map speaks of."""
        if not is_text("".join(header)):
            self._bad(1, "the file is not UTF-8: nothing of it is loaded")
            return False
        missing = missing_columns(header, self.whose.map) if self.whose.map is not None else []
        if missing:
            near = nearest(missing[0], header)
            self._bad(
                1,
                f"the map names a column {missing[0]}, and the file has none{near}: nothing of it is loaded",
            )
        return not missing

    def _columns(self, header: list[str]) -> ReadColumns | None:
        return read_columns(header, self.whose.map) if self.whose.map is not None else None

    def _cells(
        self, header: list[str], columns: ReadColumns | None, cells: list[str], line: int
    ) -> list[str] | None:
        """A row's cells under our header; None where it is bad."""
        if len(cells) != len(header):
            self._bad(line, f"{len(cells)} cells where the header has {len(header)}")
            return None
        try:
            return cells if columns is None else columns.of(cells)
        except UnfitOperand as error:
            self._bad(line, str(error))
            return None

    def _check_header(self, header: list[str]) -> bool:
        """Whether the rows can be somebody's; columns nobody knows are left out with a warning."""
        missing = [name for name in self.id_columns if name not in header]
        if missing:
            hint = " (columns are separated by commas)" if re.search("[;\t]", header[0]) else ""
            self._bad(
                1, f"the column {missing[0]} is missing{hint}: nothing of this file is loaded"
            )
            return False
        known = {*self.id_columns, *self.types, *self.optional, AS_OF, IS_DELETED}
        for number, name in enumerate(header, 1):
            if name in known and header.count(name) > 1:
                self._bad(1, f"the column {name} stands twice: nothing of this file is loaded")
                return False
            if not name:
                self._warn(1, f"column {number} has no name and is left out")
            elif name not in known and header.index(name) == number - 1:
                self._warn(
                    1,
                    f"the column {name} is unknown and left out{nearest(name, known)} "
                    "(custom fields are named under fields: of the workspace)",
                )
        return True

    def _row(
        self, header: list[str], parsers: list[Callable[[str], Any]], cells: list[str], line: int
    ) -> Row | None:
        values: dict[str, Any] = {}
        given: dict[str, str] = {}
        for name, parse, cell in zip(header, parsers, cells, strict=True):
            if name in self.types:
                try:
                    values[name] = parse(cell)
                except UnfitOperand as error:
                    self._bad(line, f"{name} {cell!r}: {error}")
                    return None
                limit = self.longest.get(name)
                if limit is not None and len(cell) > getattr(self.limits, limit):
                    self._bad(line, f"{name} has {len(cell)} characters {self.limits.over(limit)}")
                    return None
            else:
                given[name] = cell
        ids = {name: self.whose.id_of(name, given.get(name, "")) for name in ID_COLUMNS}
        for name in (*self.id_columns, *ID_COLUMNS):
            reason = bad_id(ids[name])
            if reason and (name in self.id_columns or given.get(name)):
                self._bad(line, f"{name} {bad_id(given[name]) or reason}")
                return None
        try:
            said_at = as_of(given[AS_OF], self.now) if given.get(AS_OF) else None
        except UnfitOperand as error:
            self._bad(line, f"{AS_OF} {given[AS_OF]!r}: {error}")
            return None
        try:
            written = json.dumps([header, cells], ensure_ascii=False).encode()
        except UnicodeEncodeError:
            self._bad(line, NOT_UTF8)
            return None
        is_deleted = given.get(IS_DELETED, "").strip().lower()
        if is_deleted not in ("", "true", "false"):
            self._bad(line, f"{IS_DELETED} {given[IS_DELETED]!r}: true or false was expected")
            return None
        roles = given.get("roles")
        return Row(
            id=ids[self.id_columns[0]],
            cells=values,
            digest=hashlib.sha256(written).digest()[:16],
            line=line,
            account=ids["account_id"] or None,
            person=ids["person_id"] or None,
            at=said_at,
            roles=None
            if roles is None
            else tuple(dict.fromkeys(role.strip() for role in roles.split(";") if role.strip())),
            is_deleted=is_deleted == "true",
        )

    def _bad(self, line: int, reason: str) -> None:
        self.problems.append(BadRow(self.path.name, line, reason))

    def _warn(self, line: int, reason: str) -> None:
        self.warnings.append(BadRow(self.path.name, line, reason))


def _why_unreadable(error: csv.Error, first: int, last: int) -> str:
    lines = f"lines {first} to {last} are" if last > first else "it is"
    if "unexpected end" in str(error):
        return f"a quote opens here and never closes: {lines} not loaded"
    if "field limit" in str(error):
        return f"a cell is longer than {csv.field_size_limit()} characters: {lines} not loaded"
    return f"unreadable: {error}"
