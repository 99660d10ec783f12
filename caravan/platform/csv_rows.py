"""A CSV file of records, read row by row: what each cell says, and what is wrong with it."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caravan.journeys.conditions.operators import UnfitOperand
from caravan.journeys.conditions.parse import nearest
from caravan.journeys.fields import FieldType
from caravan.journeys.limits import USUAL, Limits
from caravan.platform.cells import parser_of
from caravan.platform.source_files import NOT_UTF8, BadRow, Counted, bad_id, is_text

#: the column by which a source says that it has a record no more
IS_DELETED = "is_deleted"


@dataclass(frozen=True)
class Row:
    """One good row: ids as written, cells as values (an empty one null)."""

    id: str
    cells: dict[str, Any]
    digest: bytes
    line: int
    account: str | None = None
    person: str | None = None
    roles: tuple[str, ...] | None = None
    is_deleted: bool = False


@dataclass
class CsvSource:
    """A CSV file with a header."""

    path: Path
    id_columns: tuple[str, ...]
    types: dict[str, FieldType]
    optional: tuple[str, ...] = ()
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
            yield from self._rows(csv.reader(text, strict=True))

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
                header = [name.strip() for name in cells]
                if not self._check_header(header):
                    return
                parsers = [parser_of(self.types.get(name)) for name in header]
            elif any(cells):
                row = self._row(header, parsers, cells, line)
                if row is not None:
                    yield row
        if header is None and not self.problems:
            self._bad(1, "the file is empty: a line with the columns' names was expected")

    def _check_header(self, header: list[str]) -> bool:
        """Whether the file can be read at all; columns nobody knows are left out with a warning."""
        if not is_text("".join(header)):
            self._bad(1, "the file is not UTF-8: nothing of it is loaded")
            return False
        missing = [name for name in self.id_columns if name not in header]
        if missing:
            hint = " (columns are separated by commas)" if re.search("[;\t]", header[0]) else ""
            self._bad(
                1, f"the column {missing[0]} is missing{hint}: nothing of this file is loaded"
            )
            return False
        known = {*self.id_columns, *self.types, *self.optional, IS_DELETED}
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
        if len(cells) != len(header):
            self._bad(line, f"{len(cells)} cells where the header has {len(header)}")
            return None
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
        for name in self.id_columns:
            reason = bad_id(given[name])
            if reason:
                self._bad(line, f"{name} {reason}")
                return None
        account = given.get("account_id") or None
        if account and bad_id(account):
            self._bad(line, f"account_id {bad_id(account)}")
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
            id=given[self.id_columns[0]],
            cells=values,
            digest=hashlib.sha256(written).digest()[:16],
            line=line,
            account=account,
            person=given.get("person_id") or None,
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
