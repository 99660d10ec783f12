"""Which files an import is of, and how each is read: by their names, or by the map of a source."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from caravan.journeys.conditions.parse import nearest
from caravan.journeys.documents import SourceDocument
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.reading import SLUG, SLUG_IN_WORDS
from caravan.journeys.source_files import read_source_file
from caravan.journeys.workspace import Workspace, load_workspace
from caravan.platform.file_maps import FILES as UNNAMED
from caravan.platform.file_maps import FileSource, file_source, holds_of
from caravan.platform.imports import FILES
from starter.errors import UserError
from starter.validate import existing, tell

ORDER = ("accounts", "people", "relations", "opportunities")


@dataclass(frozen=True)
class Chosen:
    """A file, whose it is and how it is read."""

    path: Path
    whose: FileSource

    @property
    def place(self) -> tuple[int, str]:
        """Records come before what refers to them, and files of a kind in order of their names."""
        holds = holds_of(self.path, self.whose)
        return ORDER.index(holds) if holds in ORDER else len(ORDER), self.path.name


@dataclass(frozen=True)
class Choice:
    """What a user asks for: paths, a workspace, a source and its map."""

    paths: list[Path]
    workspace: Path | None
    source: str | None
    map: Path | None
    may_be_empty: bool = False  # a folder that files come into later

    def catalog(self) -> FieldCatalog:
        """The fields that the files may have."""
        found = self._workspace()
        return found.catalog if found is not None else FieldCatalog()

    def subscription(self, named: str | None) -> str | None:
        """Into whose sandbox they go: the workspace's own pair; without a workspace the one that is named.

        Args:
            named: by ``--subscription`` or ``CARAVAN_SUBSCRIPTION``, or None.

        Raises:
            UserError: it is another than the workspace's.
        """
        workspace = self._workspace()
        if workspace is None or f"workspace:{workspace.settings.workspace}" not in workspace.files:
            return named
        own = workspace.settings.pair.munchkin
        if named is not None and named != own:
            raise UserError(
                f"--subscription or CARAVAN_SUBSCRIPTION says {named}, and the workspace {workspace.directory} is of {own}: "
                f"leave it out, or import with a workspace of {named}"
            )
        return own

    def files(self) -> list[Chosen]:
        """The files as they lie there now, in the order in which they refer to each other.

        Raises:
            UserError: there is none, or one of them nobody can read.
        """
        document = self._document()
        chosen: list[Chosen] = []
        for path in self.paths:
            if path.is_dir():
                chosen += self._in_folder(path, document)
            elif not path.exists():
                raise UserError(f"{path} does not exist; give a folder, or files by their names")
            else:
                chosen.append(self._one(path, document))
        return sorted(chosen, key=lambda one: one.place)

    def _in_folder(self, path: Path, document: SourceDocument | None) -> list[Chosen]:
        inner = load_workspace(path, datetime.now(UTC))
        folder = inner.data if inner.data is not None else path
        name = self.source or UNNAMED
        if document is None:
            named = [folder / file for file in FILES if (folder / file).exists()]
            if not named and not self.may_be_empty:
                remedy = f"; where {name} names its files otherwise, say how with --map FILE"
                raise UserError(
                    f"{folder} has none of {', '.join(FILES)}{remedy if self.source else ''}"
                )
            return [Chosen(file, FileSource(name)) for file in named]
        whose = {
            file: file_source(file, name, document)
            for file in sorted(folder.iterdir())
            if file.is_file()
        }
        there = [Chosen(file, found) for file, found in whose.items() if found is not None]
        if not there and not self.may_be_empty:
            raise UserError(
                f"{folder} has none of {_patterns(document)}, which the map of {name} speaks of"
            )
        return there

    def _one(self, path: Path, document: SourceDocument | None) -> Chosen:
        whose = file_source(path, self.source or UNNAMED, document)
        if whose is None:
            assert document is not None
            raise UserError(
                f"the map of {document.source} speaks of {_patterns(document)}, and not of {path.name}"
            )
        if whose.map is None and path.name not in FILES and path.suffix != ".jsonl":
            raise UserError(
                f"{path.name} is none of {', '.join(FILES)}; the name says what a file holds, or a map does (--map)"
            )
        return Chosen(path, whose)

    def _workspace(self) -> Workspace | None:
        if self.workspace is not None:
            return load_workspace(existing(self.workspace), datetime.now(UTC))
        for path in self.paths:
            if path.is_dir():
                inner = load_workspace(path, datetime.now(UTC))
                if inner.data is not None:
                    return inner
        return None

    def _document(self) -> SourceDocument | None:
        """The document of the source, of the map or else of the workspace."""
        if self.source is None:
            if self.map is not None:
                raise UserError("--map is of a source: name it with --source")
            return None
        if not SLUG.fullmatch(self.source) or self.source == UNNAMED:
            raise UserError(
                f"--source takes {SLUG_IN_WORDS}, and not {UNNAMED}: {self.source!r} is none"
            )
        workspace = self._workspace()
        known: Mapping[str, SourceDocument] = workspace.sources if workspace is not None else {}
        if self.map is not None:
            if not self.map.is_file():
                raise UserError(f"{self.map} is no file: --map takes one with a document `source:`")
            known, problems = read_source_file(self.map, self.catalog(), datetime.now(UTC))
            if problems:
                tell(self.map.parent, problems)
                raise UserError(f"{self.map} cannot be used: see above")
            if self.source not in known:
                raise UserError(
                    f"{self.map} has no source {self.source}{nearest(self.source, known)}: it has {', '.join(known)}"
                )
        return known.get(self.source)


def _patterns(document: SourceDocument) -> str:
    return ", ".join(one.file for one in document.files)
