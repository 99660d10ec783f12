"""Finding the documents and templates of a folder, and collecting what is wrong with them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path as FilePath
from typing import Any

from caravan.journeys.conditions.scope import nearest
from caravan.journeys.documents import KINDS
from caravan.journeys.fragment_files import Key
from caravan.journeys.fragments import FOLDER
from caravan.journeys.limits import USUAL, Limits
from caravan.journeys.mail_html import MailFormat
from caravan.journeys.problems import Path, Problem, Severity
from caravan.journeys.reading import Fields
from caravan.journeys.source import Source, read_documents
from caravan.journeys.templates import TemplateFile
from caravan.journeys.written import as_written

YAML = (".yaml", ".yml")
TEMPLATES = (".mjml", ".html")


@dataclass(frozen=True)
class Document:
    file: str
    kind: str
    slug: str
    source: Source


@dataclass
class Folder:
    """What lies in the folder of a workspace; problems come while it is read, kind by kind."""

    directory: FilePath
    at: datetime
    documents: list[Document] = field(default_factory=list)
    named: dict[tuple[str, str], Document] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    templates: dict[str, TemplateFile] = field(default_factory=dict)
    template_files: dict[str, str] = field(default_factory=dict)
    fragment_files: dict[Key, str] = field(default_factory=dict)
    limits: Limits = USUAL
    drafts: Mapping[str, str] = field(
        default_factory=dict
    )  # by file: read in place of what is there

    def holds(self, path: FilePath) -> bool:
        """Whether there is such a file, or a draft of one."""
        return path.is_file() or path.relative_to(self.directory).as_posix() in self.drafts

    def add(
        self,
        file: str,
        line: int,
        code: str,
        message: str,
        *,
        document: str | None = None,
        node: str | None = None,
        severity: Severity = "error",
    ) -> None:
        self.problems.append(
            Problem(
                file=file,
                line=line,
                document=document,
                node=node,
                code=code,
                message=message,
                severity=severity,
            )
        )

    def fields(self, document: Document) -> Fields:
        """A document's mapping, whose problems find their file, line and node."""

        def report(code: str, path: Path, message: str, *, severity: Severity = "error") -> None:
            node = (
                str(path[1])
                if document.kind == "journey" and len(path) > 1 and path[0] == "nodes"
                else None
            )
            self.add(
                document.file,
                document.source.line(path),
                code,
                message,
                document=f"{document.kind}:{document.slug}",
                node=node,
                severity=severity,
            )

        return Fields(document.source.data, (), report, self.limits)

    def of(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document.kind == kind]


def find_documents(folder: Folder) -> None:
    """Find the documents of all files, whatever folder they lie in."""
    drafts = {folder.directory / file for file in folder.drafts}
    for path in sorted({*folder.directory.rglob("*"), *drafts}):
        file = path.relative_to(folder.directory).as_posix()
        if path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
            folder.add(file, 1, "bad-yaml", "the folder cannot be read")
        if any(part.startswith(".") for part in path.relative_to(folder.directory).parts):
            continue
        if path.is_symlink() and path.suffix in (*YAML, *TEMPLATES) and not path.exists():
            folder.add(file, 1, "bad-yaml", "the link leads nowhere")
        elif path.suffix in TEMPLATES and path.parent.name == FOLDER and folder.holds(path):
            _find_fragment(folder, file, Key(path.stem, _format(path)))
        elif path.suffix in TEMPLATES and folder.holds(path):
            if path.stem in folder.template_files:
                folder.add(
                    file,
                    1,
                    "duplicate-slug",
                    f"e-mail {path.stem} is also {folder.template_files[path.stem]}",
                )
            else:
                folder.template_files[path.stem] = file
        elif path.suffix in YAML and folder.holds(path):
            text = read_text(folder, file)
            if text is not None:
                find_in_file(folder, file, text)


def _format(path: FilePath) -> MailFormat:
    return "mjml" if path.suffix == ".mjml" else "html"


def _find_fragment(folder: Folder, file: str, key: Key) -> None:
    if key in folder.fragment_files:
        message = f"fragment {key.name} is also {folder.fragment_files[key]}"
        folder.add(file, 1, "duplicate-slug", message)
    else:
        folder.fragment_files[key] = file


def find_in_file(folder: Folder, file: str, text: str) -> None:
    """The documents of one file of the folder."""
    sources, faults = read_documents(text)
    for fault in faults:
        folder.add(file, fault.line, fault.code, fault.message)
    for source in sources:
        data: Any = source.data
        line = source.line(())
        if data is None:
            continue  # nothing between two lines of dashes
        if not isinstance(data, dict) or not data:
            folder.add(
                file, line, "bad-value", "a document is a mapping whose first key names its kind"
            )
            continue
        kind = next(iter(data))
        if kind not in KINDS:
            folder.add(
                file,
                line,
                "unknown-key",
                f"no document begins with {kind!r}{nearest(kind, KINDS)}",
            )
        else:
            slug = as_written(data[kind])
            same = folder.named.get((kind, slug))
            if same is not None:
                folder.add(
                    file,
                    line,
                    "duplicate-slug",
                    f"{kind} {slug} is also in {same.file}",
                    document=f"{kind}:{slug}",
                )
                continue
            document = folder.named[(kind, slug)] = Document(file, kind, slug, source)
            folder.documents.append(document)


def read_text(folder: Folder, file: str) -> str | None:
    if file in folder.drafts:
        return folder.drafts[file]
    try:
        return (folder.directory / file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        folder.add(file, 1, "bad-yaml", "the file is not UTF-8")
    except OSError as error:
        folder.add(file, 1, "bad-yaml", f"the file cannot be read: {error.strerror}")
    return None
