"""A file with the document of a source, outside of a workspace: what ``import --map`` names."""

from datetime import datetime
from pathlib import Path

from caravan.journeys.documents import SourceDocument, read_source
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.folder import Folder, find_in_file, read_text
from caravan.journeys.problems import Problem


def read_source_file(
    path: Path, catalog: FieldCatalog, at: datetime
) -> tuple[dict[str, SourceDocument], list[Problem]]:
    """The sources that a file describes, and what is wrong with it; other documents in it are left alone."""
    folder = Folder(path.parent, at)
    text = read_text(folder, path.name)
    if text is not None:
        find_in_file(folder, path.name, text)
    read = [read_source(folder.fields(document), catalog) for document in folder.of("source")]
    if not folder.of("source") and not folder.problems:
        folder.add(path.name, 1, "missing-key", "no document `source:` in this file")
    problems = sorted(folder.problems, key=lambda problem: (problem.line, problem.code))
    return {source.source: source for source in read if source is not None}, problems
