"""A workspace: a folder of documents and templates, read whole and checked whole.

Nothing a user can write makes this raise: everything wrong becomes a problem with file and line, all
of them at once.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path as FilePath

from caravan.journeys.conditions.scope import Scope
from caravan.journeys.cross_checks import check_mail, check_rings, check_shape
from caravan.journeys.documents import (
    AudienceDocument,
    JourneyDocument,
    TestsDocument,
    WorkspaceDocument,
    read_audience,
    read_journey,
    read_tests,
    read_workspace_document,
)
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.folder import Folder, find_documents, read_text
from caravan.journeys.problems import Problem
from caravan.journeys.reading import SLUG, SLUG_IN_WORDS, JourneyScope
from caravan.journeys.templates import TemplateDocument, read_template


@dataclass(frozen=True)
class Workspace:
    """What was read, and every problem, sorted by file, line and code."""

    directory: FilePath
    settings: WorkspaceDocument
    audiences: dict[str, AudienceDocument]
    journeys: dict[str, JourneyDocument]
    templates: dict[str, TemplateDocument]
    tests: dict[str, TestsDocument]
    problems: tuple[Problem, ...]

    @property
    def catalog(self) -> FieldCatalog:
        return self.settings.catalog

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def data(self) -> FilePath | None:
        """The folder of the data files, if there is one."""
        return self.directory / self.settings.data if self.settings.data else None


def load_workspace(directory: FilePath, at: datetime) -> Workspace:
    """Read and check everything in a folder.

    Args:
        directory: the workspace.
        at: the instant of publishing that schedules are checked against.
    """
    folder = Folder(directory, at)
    find_documents(folder)
    settings = _read_settings(folder)
    _read_templates(folder, settings.catalog)
    audiences = _read_audiences(folder, settings.catalog)
    journeys = _read_journeys(folder, settings)
    tests = _read_tests(folder, settings.catalog)
    problems = tuple(
        sorted(set(folder.problems), key=lambda p: (p.file, p.line, p.code, p.message))
    )
    return Workspace(
        directory=directory,
        settings=settings,
        audiences=audiences,
        journeys=journeys,
        templates={slug: file.template for slug, file in folder.templates.items() if file.template},
        tests=tests,
        problems=problems,
    )


def _read_settings(folder: Folder) -> WorkspaceDocument:
    found = folder.of("workspace")
    if not found:
        folder.add(".", 1, "missing-key", "no document `workspace:` in this folder")
        return WorkspaceDocument(workspace="workspace")
    if len(found) > 1:
        folder.add(
            found[1].file,
            found[1].source.line(()),
            "duplicate-slug",
            f"the workspace is described in {found[0].file} already",
        )
    return read_workspace_document(folder.fields(found[0])) or WorkspaceDocument(
        workspace="workspace"
    )


def _read_templates(folder: Folder, catalog: FieldCatalog) -> None:
    for slug, file in folder.template_files.items():
        text = read_text(folder, file)
        if text is None:
            continue
        if not SLUG.fullmatch(slug):
            folder.add(file, 1, "bad-value", f"{slug!r} is not a slug: {SLUG_IN_WORDS}")
        read = read_template(file, slug, text, catalog)
        folder.templates[slug] = read
        folder.problems += read.problems


def _read_audiences(folder: Folder, catalog: FieldCatalog) -> dict[str, AudienceDocument]:
    names = frozenset(document.slug for document in folder.of("audience"))
    scope = Scope(
        catalog=catalog, store="platform", audiences=names, people_audiences=_of_people(folder)
    )
    audiences = {}
    for document in folder.of("audience"):
        audience = read_audience(folder.fields(document), scope)
        if audience is not None:
            audiences[audience.audience] = audience
    check_rings(folder, audiences)
    return audiences


def _of_people(folder: Folder) -> frozenset[str]:
    """The audiences of people, as they say of themselves before they are read."""
    return frozenset(
        document.slug
        for document in folder.of("audience")
        if document.source.data.get("of") == "people"
    )


def _read_journeys(folder: Folder, settings: WorkspaceDocument) -> dict[str, JourneyDocument]:
    journeys = {}
    declared = frozenset(document.slug for document in folder.of("audience"))
    of_people = _of_people(folder)
    for document in folder.of("journey"):
        fields = folder.fields(document)
        raw_nodes = fields.raw.get("nodes")
        if not isinstance(raw_nodes, dict):
            raw_nodes = {}
        names = frozenset(raw_nodes)
        templates = frozenset(folder.template_files)
        scope = JourneyScope(
            conditions=Scope(
                catalog=settings.catalog,
                audiences=declared,
                nodes=names,
                listens=frozenset(name for name in names if _listens(raw_nodes[name])),
                templates=templates,
                in_journey=True,
            ),
            templates=templates,
            slots=settings.slots,
            audience_names=declared - of_people,
        )
        journey = read_journey(fields, settings, scope, folder.at)
        if journey is not None:
            journeys[journey.journey] = journey
            check_shape(fields, journey)
            check_mail(folder, fields, journey, settings)
    return journeys


def _listens(raw_node: object) -> bool:
    return isinstance(raw_node, dict) and "listen" in raw_node


def _read_tests(folder: Folder, catalog: FieldCatalog) -> dict[str, TestsDocument]:
    """The tests of journeys, by the names their nodes have, whether or not those can be read."""
    nodes = {
        document.slug: list(raw)
        if isinstance(raw := document.source.data.get("nodes"), dict)
        else []
        for document in folder.of("journey")
    }
    tests = {}
    for document in folder.of("tests"):
        read = read_tests(
            folder.fields(document), catalog, nodes, document.file, document.source.line
        )
        if read is not None:
            tests[read.tests] = read
    return tests
