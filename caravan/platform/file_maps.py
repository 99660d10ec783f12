"""Reading a source's files as ours: which column is which field, whose ids are whose, and since when."""

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from caravan.journeys.conditions.operators import UnfitOperand
from caravan.journeys.documents.source import AS_OF, HOLDS, FileMap, SourceDocument

#: the source of files that come without one; their ids are the records' own
FILES = "files"


@dataclass(frozen=True)
class FileSource:
    """Whose a file is, and how it is read."""

    name: str = FILES
    map: FileMap | None = None

    def id_of(self, column: str, written: str) -> str:
        """The id of a record as everybody knows it: ``17`` of the source ``crm`` is ``crm:17``."""
        whose = self.map.ids_of.get(column, self.name) if self.map is not None else self.name
        return written if whose == FILES or not written else f"{whose}:{written}"


def file_source(path: Path, name: str, document: SourceDocument | None) -> FileSource | None:
    """How a file of a source is read, or None where its map does not speak of it."""
    if document is None:
        return FileSource(name, None)
    for one in document.files:
        if fnmatch.fnmatchcase(path.name, one.file):
            return FileSource(name, one)
    return None


@dataclass(frozen=True)
class ReadColumns:
    """The columns of a file as ours: which of a row's cells count, and what is written beside them."""

    names: list[str]
    places: list[int]
    constants: list[str]
    turned: Mapping[int, Callable[[str], str]]

    def of(self, cells: list[str]) -> list[str]:
        """A row's cells in order of ``names``.

        Raises:
            UnfitOperand: one of them is not as the map says; says which.
        """
        ours = [cells[place] for place in self.places] + self.constants
        for place, turn in self.turned.items():
            ours[place] = turn(ours[place])
        return ours


def read_columns(header: list[str], map_: FileMap) -> ReadColumns:
    """What of a file's header a map takes; columns it does not name are left out."""
    columns = map_.columns or {name: name for name in header if name}
    places = [number for number, name in enumerate(header) if name in columns]
    names = [columns[header[place]] for place in places]
    constants = {name: value for name, value in map_.constants.items() if name not in names}
    names += constants
    turned: dict[int, Callable[[str], str]] = {}
    for number, name in enumerate(names):
        if name in map_.values:
            turned[number] = _by_value(map_.values[name])
        elif name in map_.dates:
            turned[number] = _by_date(name, map_.dates[name])
    return ReadColumns(names, places, list(constants.values()), turned)


def missing_columns(header: list[str], map_: FileMap) -> list[str]:
    """Columns that a map names and a file has not."""
    return [name for name in map_.columns if name not in header]


def as_of(cell: str, at: datetime) -> datetime:
    """Since when a row says what it says; empty: since now.

    Raises:
        UnfitOperand: it is no instant, or one to come, which would overrule all that is said before it.
    """
    if not cell.strip():
        return at
    try:
        instant = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise UnfitOperand("an instant was expected, such as 2026-03-01T08:00:00Z") from None
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    if instant > at:
        raise UnfitOperand("is in the future")
    return instant


def holds_of(path: Path, source: FileSource) -> str | None:
    """What a file holds: as its map says, else as its name does."""
    if source.map is not None:
        return source.map.holds
    return path.stem if path.suffix == ".csv" and path.stem in HOLDS else None


def _by_value(values: Mapping[str, str]) -> Callable[[str], str]:
    return lambda cell: values.get(cell, values.get(cell.strip(), cell))


def _by_date(name: str, form: str) -> Callable[[str], str]:
    def turn(cell: str) -> str:
        if not cell.strip():
            return ""
        try:
            moment = datetime.strptime(cell.strip(), form)  # noqa: DTZ007 - the form may say a zone
        except ValueError:
            raise UnfitOperand(f"{name} {cell!r}: a date written as {form} was expected") from None
        has_time = any(f"%{letter}" in form for letter in "HIMSTXc")
        return moment.isoformat() if has_time or name == AS_OF else moment.date().isoformat()

    return turn
