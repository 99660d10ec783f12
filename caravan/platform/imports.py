"""Importing a workspace's data: streamed, page by page, each page one transaction.

A row is applied whole or not at all; a row that has not changed since it was last imported is not
applied again; a changed one writes only the cells that changed; one that is gone deletes nothing. A
row says that its record is there, unless its ``is_deleted`` says that it is not (``caravan.platform.deletion``).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from caravan.database.erasures import ErasureKey
from caravan.database.outbox import nudge
from caravan.journeys.fields import Entity, FieldCatalog
from caravan.journeys.limits import USUAL, Limits
from caravan.personas.embedding import Embedder, TitlesUnread
from caravan.platform import deletion, identity, personas, sql, uniting
from caravan.platform.csv_rows import CsvSource, Row
from caravan.platform.erased_rows import ERASED, erased_addresses, erased_people
from caravan.platform.event_lines import EventRow, EventSource
from caravan.platform.events import record_events
from caravan.platform.file_maps import FileSource, holds_of
from caravan.platform.identity import Merged
from caravan.platform.import_report import FileReport
from caravan.platform.imported_relations import Related, pair_of, relate, shorthand_of
from caravan.platform.known import known
from caravan.platform.source_files import BadRow

PAGE = 5000
T = TypeVar("T")

#: called with the file's name, its rows so far, and its bytes so far and in all
Progress = Callable[[str, int, int, int], None]

FILES = ("accounts.csv", "people.csv", "relations.csv", "opportunities.csv", "events.jsonl")


class Importer:
    """Imports files into one sandbox."""

    def __init__(
        self,
        pool: Any,
        catalog: FieldCatalog,
        at: datetime,
        progress: Progress,
        erasure_key: ErasureKey | None = None,
        limits: Limits = USUAL,
        whose: FileSource | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        """
        Args:
            embedder: reads job titles ahead of their people; None: whoever looks next does.
        """
        self._pool = pool
        self._embedder = embedder
        self._whose = whose or FileSource()
        self._erasure_key = erasure_key
        self._limits = limits
        self._catalog = catalog
        self._at = at
        self._progress = progress

    async def directory(self, directory: Path) -> list[FileReport]:
        """Every known file of a folder, in the order in which they refer to each other."""
        return [await self.file(directory / name) for name in FILES if (directory / name).exists()]

    async def file(self, path: Path) -> FileReport:
        """One file, by its name.

        Raises:
            OSError: it cannot be opened or read; what was loaded before stays.
        """
        report = await self._file(path)
        report.bad.sort(key=lambda bad: bad.line)
        return report

    async def _file(self, path: Path) -> FileReport:
        match holds_of(path, self._whose):
            case "accounts":
                return await self._records(path, "account_id", "account", "accounts")
            case "people":
                return await self._records(path, "person_id", "person", "people")
            case "relations":
                return await self._relations(path)
            case "opportunities":
                return await self._opportunities(path)
            case _ if path.suffix == ".jsonl":
                return await self.events(path)
        raise ValueError(f"{path.name} is none of {', '.join(FILES)}")

    async def _records(self, path: Path, key: str, entity: Any, table: str) -> FileReport:
        optional = ("account_id", "roles") if table == "people" else ()
        source = self._source(path, (key,), entity, optional)
        report = FileReport(path.name, bad=source.problems, warnings=source.warnings)
        async for page in _pages(source.rows()):
            ahead = await self._titles_of(page if table == "people" else [])
            async with self._pool.acquire() as conn, conn.transaction():
                await sql.execute(conn, "one_writer_in_turn")
                rows = _last_of_each(await self._with_known_accounts(conn, page, source))
                if table == "people":
                    rows = await self._without_erased(conn, rows, source)
                    await ahead.note(conn, _titles(rows))
                counts = await sql.fetchrow(
                    conn, f"import_{table}", **self._arrays(rows), entity=entity
                )
                related = await self._relate_anew(conn, rows, set(counts["looked_at"]))
                settled = await deletion.settle(conn, entity, rows, self._at)
                merged = await self._unify(conn, entity, counts, settled.returned)
                await nudge(conn)
            flagged = (row.id for row in settled.rows)
            report.count(len(rows), counts["new"], {*counts["touched"], *related, *flagged})
            report.add_settled(settled)
            report.add_merged(merged)
            self._tell(path, report, source)
        return report

    async def _relate_anew(self, conn: Any, rows: list[Row], looked_at: set[str]) -> list[str]:
        """Relations of people's rows that say something new; returns of whom one was written.

        What a row said of one before was written with it, in one transaction.
        """
        said = [row for row in rows if row.account is not None and row.id in looked_at]
        related = await self._relate(conn, said, shorthand_of)
        return [row.id for row in related.touched.values()]

    async def _titles_of(self, page: list[Row]) -> personas.ReadAhead:
        """Read the titles of a page that nobody has read; who cannot leaves their people in question."""
        titles = sorted(_titles(page))
        if self._embedder is not None and titles:
            with suppress(TitlesUnread):
                return await personas.read_ahead(self._pool, self._embedder, titles)
        return personas.ReadAhead()

    async def _relations(self, path: Path) -> FileReport:
        source = self._source(path, ("account_id", "person_id"), "relation", ("roles",))
        report = FileReport(path.name, bad=source.problems, warnings=source.warnings)
        async for page in _pages(source.rows()):
            async with self._pool.acquire() as conn, conn.transaction():
                await sql.execute(conn, "one_writer_in_turn")
                rows = await self._with_known_accounts(conn, page, source)
                rows = _last_of_each(await self._with_known_people(conn, rows, source), pair_of)
                related = await self._relate(conn, rows)
                settled = await deletion.settle(conn, "relation", rows, self._at)
                await nudge(conn)
            flagged = (pair_of(row) for row in settled.rows)
            report.count(len(rows), related.new, {*related.touched, *flagged})
            report.add_settled(settled)
            self._tell(path, report, source)
        return report

    async def _opportunities(self, path: Path) -> FileReport:
        source = self._source(path, ("opportunity_id", "account_id"), "opportunity")
        report = FileReport(path.name, bad=source.problems, warnings=source.warnings)
        async for page in _pages(source.rows()):
            async with self._pool.acquire() as conn, conn.transaction():
                await sql.execute(conn, "one_writer_in_turn")
                rows = _last_of_each(await self._with_known_accounts(conn, page, source))
                counts = await sql.fetchrow(
                    conn,
                    "import_opportunities",
                    **self._arrays(rows),
                    accounts=[row.account for row in rows],
                )
                settled = await deletion.settle(conn, "opportunity", rows, self._at)
                await nudge(conn)
            flagged = (row.id for row in settled.rows)
            report.count(len(rows), counts["new"], {*counts["touched"], *flagged})
            report.add_settled(settled)
            self._tell(path, report, source)
        return report

    async def events(self, path: Path) -> FileReport:
        """A JSON Lines file of events; those of unknown people or accounts are bad rows."""
        source = EventSource(path, self._limits, self._whose)
        report = FileReport(path.name, bad=source.problems)
        async for page in _pages(source.rows()):
            await self.record_events(page, report)
            self._tell(path, report, source)
        return report

    async def record_events(self, events: list[EventRow], report: FileReport) -> None:
        """Record events in the sandbox; they flow down by themselves."""
        recorded = await record_events(self._pool, events, self._at, self._erasure_key)
        report.add_events(events, recorded)

    async def _relate(
        self, conn: Any, rows: list[Row], key_of: Callable[[Row], str] = pair_of
    ) -> Related:
        types = self._catalog.of("relation")
        return await relate(conn, self._whose.name, rows, key_of, types, self._at)

    async def _unify(
        self, conn: Any, entity: Any, counts: Any, returned: Collection[int]
    ) -> list[Merged]:
        """What was written, or is there again, is one with others, or becomes it."""
        if counts["to_refold"]:
            await uniting.refold(conn, entity, counts["to_refold"], self._at)
        written = {*counts["written"], *returned}
        return await identity.settle(conn, entity, written, self._at, self._whose.name)

    def _source(
        self, path: Path, ids: tuple[str, ...], entity: Entity, optional: tuple[str, ...] = ()
    ) -> CsvSource:
        return CsvSource(
            path,
            ids,
            self._catalog.of(entity),
            self._at,
            optional,
            self._whose,
            longest={"name": "account_name"} if entity == "account" else {},
            limits=self._limits,
        )

    def _arrays(self, rows: list[Row]) -> dict[str, Any]:
        return {
            "source": self._whose.name,
            "external_ids": [row.id for row in rows],
            "digests": [row.digest for row in rows],
            "cells": [row.cells for row in rows],
            "ats": [row.at or self._at for row in rows],
        }

    async def _with_known_accounts(
        self, conn: Any, rows: list[Row], source: CsvSource
    ) -> list[Row]:
        """A row that names an account nobody has is bad as a whole."""
        if source.id_columns == ("account_id",):
            return rows
        there = await known(conn, "accounts", (row.account for row in rows))
        return _known_only(rows, source, lambda row: row.account, there, "account")

    async def _with_known_people(self, conn: Any, rows: list[Row], source: CsvSource) -> list[Row]:
        there = await known(conn, "people", (row.person for row in rows))
        strangers = {row.person for row in rows if row.person} - there
        erased = await erased_people(conn, self._erasure_key, strangers)
        rest = [row for row in rows if row.person not in erased]
        _tell_erased([row for row in rows if row.person in erased], source)
        return _known_only(rest, source, lambda row: row.person, there, "person")

    async def _without_erased(self, conn: Any, rows: list[Row], source: CsvSource) -> list[Row]:
        """Nobody who was erased comes back, by their id or by their address."""
        ids = await erased_people(conn, self._erasure_key, {row.id for row in rows})
        addresses = {row.cells["email"] for row in rows if row.cells.get("email")}
        gone_with = await erased_addresses(conn, self._erasure_key, addresses)

        def is_erased(row: Row) -> bool:
            return row.id in ids or row.cells.get("email") in gone_with

        _tell_erased([row for row in rows if is_erased(row)], source)
        return [row for row in rows if not is_erased(row)]

    def _tell(self, path: Path, report: FileReport, source: CsvSource | EventSource) -> None:
        done = report.new + report.changed + report.unchanged + len(report.bad)
        self._progress(path.name, done, source.bytes_read, path.stat().st_size)


def _titles(rows: list[Row]) -> set[str]:
    return {title for row in rows if (title := row.cells.get("job_title"))}


def _tell_erased(rows: list[Row], source: CsvSource) -> None:
    source.problems.extend(BadRow(source.path.name, row.line, ERASED) for row in rows)


def _known_only(
    rows: list[Row],
    source: CsvSource,
    of: Callable[[Row], str | None],
    there: set[str],
    what: str,
) -> list[Row]:
    good = []
    for row in rows:
        if of(row) is None or of(row) in there:
            good.append(row)
        else:
            source.problems.append(BadRow(source.path.name, row.line, f"no {what} {of(row)}"))
    return good


def _last_of_each(rows: list[Row], key_of: Callable[[Row], str] = attrgetter("id")) -> list[Row]:
    """Of rows with the same id the last one counts."""
    return list({key_of(row): row for row in rows}.values())


async def _pages(rows: Iterator[T]) -> AsyncIterator[list[T]]:
    """Rows in pages; the next page is read while the store is busy with this one."""

    def read() -> list[T]:
        return list(islice(rows, PAGE))

    coming = asyncio.create_task(asyncio.to_thread(read))
    try:
        while page := await coming:
            coming = asyncio.create_task(asyncio.to_thread(read))
            yield page
    finally:
        await asyncio.wait([coming])  # the thread has the file open
