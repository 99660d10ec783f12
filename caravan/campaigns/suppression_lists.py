"""Suppression lists as files: read row by row, written page by page, the same file twice changes nothing."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from caravan.engage import sql, suppressions
from caravan.journeys.suppressing import REASONS, read_subject
from caravan.platform.source_files import NOT_UTF8, BadRow, Counted, is_text

COLUMNS = ("subject", "reason", "why", "source", "added_at")
#: what the column of subjects may be called in a list from elsewhere
NAMES = ("subject", "address", "email", "domain", "phone")
PAGE = 5000
LONGEST_WHY = 500

#: called with the file's name, its rows so far, and its bytes so far and in all
Progress = Callable[[str, int, int, int], None]


@dataclass
class ListReport:
    """What became of a file's rows."""

    file: str
    new: int = 0
    unchanged: int = 0
    bad: list[BadRow] = field(default_factory=list)


@dataclass
class ListFile:
    """A CSV file of addresses, domains and numbers: with a header, or one column without any."""

    path: Path
    source: str
    at: datetime
    problems: list[BadRow] = field(default_factory=list)
    bytes_read: int = 0

    def rows(self) -> Iterator[tuple[str, str, str | None, str, datetime]]:
        """The good rows as the store keeps them; the bad ones go to ``problems``."""
        with self.path.open("rb") as raw:
            text = io.TextIOWrapper(
                io.BufferedReader(Counted(raw, self)),
                encoding="utf-8-sig",
                errors="surrogateescape",
                newline="",
            )
            reader = csv.reader(text)
            header: list[str] | None = None
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    self._bad(line, f"unreadable: {error}")
                    continue
                if not any(cells):
                    continue
                if header is None:
                    header = self._header(cells, line)
                    if header is None:
                        return
                    if header is not cells:
                        continue
                    header = ["subject"]  # the first row is one of the list already
                row = self._row(dict(zip(header, cells, strict=False)), line)
                if row is not None:
                    yield row

    def _header(self, cells: list[str], line: int) -> list[str] | None:
        """The columns' names; the cells themselves where they are no header but a row; None: neither."""
        names = [cell.strip().lower() for cell in cells]
        given = [name for name in names if name in NAMES]
        if len(given) == 1:
            return ["subject" if name == given[0] else name for name in names]
        if not given and len(cells) == 1:
            return cells
        self._bad(
            line,
            f"one column named {', '.join(NAMES[:-1])} or {NAMES[-1]} was expected: nothing is loaded",
        )
        return None

    def _row(
        self, cells: dict[str, str], line: int
    ) -> tuple[str, str, str | None, str, datetime] | None:
        try:
            return self._read(cells)
        except ValueError as error:
            self._bad(line, str(error))
            return None

    def _read(self, cells: dict[str, str]) -> tuple[str, str, str | None, str, datetime]:
        written, reason = cells.get("subject", ""), cells.get("reason", "").strip() or "blocked"
        why = cells.get("why", "").strip()[:LONGEST_WHY]
        source = cells.get("source", "").strip()[:LONGEST_WHY] or self.source
        if not is_text(written + why + source):
            raise ValueError(NOT_UTF8)
        if "\x00" in why + source:
            raise ValueError("has a NUL character")
        try:
            subject = read_subject(written)
        except ValueError as error:
            raise ValueError(f"{written.strip()!r} {error}") from None
        if reason not in REASONS:
            raise ValueError(f"reason {reason!r} is none of {', '.join(REASONS)}")
        return subject, reason, why or None, source, self._instant(cells.get("added_at", ""))

    def _instant(self, written: str) -> datetime:
        if not written.strip():
            return self.at
        try:
            at = datetime.fromisoformat(written.strip())
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValueError("added_at takes an instant such as 2026-03-01T08:00:00Z") from None

    def _bad(self, line: int, reason: str) -> None:
        self.problems.append(BadRow(self.path.name, line, reason))


async def take_in(
    pool: Any, file: ListFile, progress: Progress, *, dry_run: bool = False
) -> ListReport:
    """Suppress what a file lists, a page a transaction; run again, it goes on where it broke off.

    Args:
        pool: the engage store.
        file: the list.
        progress: told of each page.
        dry_run: tell what would be done, and do nothing.

    Raises:
        OSError: the file cannot be read; what was loaded before stays.
    """
    report = ListReport(file.path.name, bad=file.problems)
    size = file.path.stat().st_size
    rows = file.rows()
    while page := list(islice(rows, PAGE)):
        async with pool.acquire() as conn:
            transaction = conn.transaction()
            await transaction.start()
            try:
                added = await suppressions.put(conn, page)
            except BaseException:
                await transaction.rollback()
                raise
            await (transaction.rollback() if dry_run else transaction.commit())
        report.new += added
        report.unchanged += len(page) - added
        progress(report.file, report.new + report.unchanged, file.bytes_read, size)
    return report


async def everything(pool: Any, reason: str | None = None) -> AsyncIterator[Any]:
    """All rows of the list, by subject."""
    after = ""
    while True:
        page = await sql.fetch(
            pool, "suppressions_by_subject", after=after, reason=reason, limit=PAGE
        )
        for row in page:
            yield row
        if len(page) < PAGE:
            return
        after = page[-1]["subject"]
