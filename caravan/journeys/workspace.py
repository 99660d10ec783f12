"""A workspace: a folder of documents and templates, read whole and checked whole.

Nothing a user can write makes this raise: everything wrong becomes a problem with file and line, all
of them at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path as FilePath
from typing import Any

from caravan.journeys.approval import CODE as UNAPPROVED
from caravan.journeys.buying_group_documents import known_groups, read_buying_group_documents
from caravan.journeys.conditions.naming import ListName
from caravan.journeys.conditions.scope import Scope
from caravan.journeys.cross_checks import (
    actions_of,
    check_alerts,
    check_approved,
    check_mail,
    check_requests,
    check_rings,
)
from caravan.journeys.documents import (
    AudienceDocument,
    BuyingGroupsDocument,
    CampaignDocument,
    CommunicationLimitsDocument,
    IdentityDocument,
    JourneyDocument,
    ListDocument,
    PersonaDocument,
    RolesTemplateDocument,
    ScoreModelDocument,
    SolutionInterestDocument,
    SourceDocument,
    StageModelDocument,
    TestsDocument,
    WorkspaceDocument,
    read_audience,
    read_campaign,
    read_communication_limits,
    read_identity,
    read_journey,
    read_persona,
    read_service,
    read_source,
    read_tests,
    read_workspace_document,
)
from caravan.journeys.documents.exits import nodes_written
from caravan.journeys.fields import FieldCatalog
from caravan.journeys.folder import Folder, find_documents, read_text
from caravan.journeys.fragment_files import Fragments, check_nesting, read_fragment
from caravan.journeys.limits import USUAL, Limits
from caravan.journeys.named_lists import read_lists
from caravan.journeys.problems import Problem
from caravan.journeys.reading import SLUG, SLUG_IN_WORDS, JourneyScope
from caravan.journeys.service import Service
from caravan.journeys.templates import TemplateDocument, empty_links, read_template


@dataclass(frozen=True)
class Workspace:
    """What was read, and every problem, sorted by file, line and code."""

    directory: FilePath
    settings: WorkspaceDocument
    audiences: dict[str, AudienceDocument]
    lists: dict[ListName, ListDocument]
    journeys: dict[str, JourneyDocument]
    campaigns: dict[str, CampaignDocument]
    templates: dict[str, TemplateDocument]
    tests: dict[str, TestsDocument]
    problems: tuple[Problem, ...]
    services: dict[str, Service] = field(default_factory=dict)
    roles_templates: dict[str, RolesTemplateDocument] = field(default_factory=dict)
    stage_models: dict[str, StageModelDocument] = field(default_factory=dict)
    solution_interests: dict[str, SolutionInterestDocument] = field(default_factory=dict)
    buying_group_jobs: dict[str, BuyingGroupsDocument] = field(default_factory=dict)
    score_models: dict[str, ScoreModelDocument] = field(default_factory=dict)
    communication_limits: dict[str, CommunicationLimitsDocument] = field(default_factory=dict)
    identity_rules: dict[str, IdentityDocument] = field(default_factory=dict)
    sources: dict[str, SourceDocument] = field(default_factory=dict)
    personas: dict[str, PersonaDocument] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # of documents, by `kind:slug`
    template_files: dict[str, str] = field(default_factory=dict)  # of templates, readable or not
    tokens: dict[str, frozenset[str]] = field(default_factory=dict)  # `my.…` of each template
    unapproved: frozenset[str] = frozenset()  # templates that a model wrote and nobody has approved

    @property
    def catalog(self) -> FieldCatalog:
        return self.settings.catalog

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def faults(self) -> list[Problem]:
        """The errors that keep it from running at all. What only waits for approval can be rehearsed, for that is
        how somebody comes to approve it; it cannot be published."""
        return [problem for problem in self.errors if problem.code != UNAPPROVED]

    @property
    def data(self) -> FilePath | None:
        """The folder of the data files, if there is one."""
        return self.directory / self.settings.data if self.settings.data else None


def load_workspace(
    directory: FilePath,
    at: datetime,
    limits: Limits = USUAL,
    drafts: Mapping[str, str] | None = None,
) -> Workspace:
    """Read and check everything in a folder.

    Args:
        directory: the workspace.
        at: the instant of publishing that schedules are checked against.
        limits: how many and how long things may be here.
        drafts: texts by file, read as if they were in the folder, in place of what is there.
    """
    folder = Folder(directory, at, limits=limits, drafts=drafts or {})
    find_documents(folder)
    settings = _read_settings(folder)
    _read_templates(folder, settings.catalog)
    audiences = _read_audiences(folder, settings)
    services = _read_services(folder, settings.catalog)
    lists = read_lists(folder, settings, _engage_scope(folder, settings))
    scope = lists.within(_engage_scope(folder, settings))
    groups = read_buying_group_documents(folder, settings.zone, scope)
    journeys = _read_journeys(folder, settings, scope)
    campaigns = _read_campaigns(folder, settings, scope)
    check_approved(
        folder,
        {
            **{f"journey {one.journey}": actions_of(one) for one in journeys.values()},
            **{f"campaign {one.campaign}": one.actions for one in campaigns.values()},
        },
    )
    rules = _read_communication_limits(folder, settings)
    tests = _read_tests(folder, settings.catalog)
    identity = [read_identity(folder.fields(document)) for document in folder.of("identity")]
    sources = _read_sources(folder, settings.catalog)
    personas = _read_personas(folder)
    problems = tuple(
        sorted(set(folder.problems), key=lambda p: (p.file, p.line, p.code, p.message))
    )
    return Workspace(
        directory=directory,
        settings=settings,
        audiences=audiences,
        lists=lists.documents,
        journeys=journeys,
        campaigns=campaigns,
        templates={slug: file.template for slug, file in folder.templates.items() if file.template},
        tests=tests,
        problems=problems,
        services=services,
        roles_templates=groups.roles_templates,
        stage_models=groups.stage_models,
        solution_interests=groups.solution_interests,
        buying_group_jobs=groups.jobs,
        score_models=groups.score_models,
        communication_limits=rules,
        identity_rules={rule.identity: rule for rule in identity if rule is not None},
        sources=sources,
        personas=personas,
        files={f"{one.kind}:{one.slug}": one.file for one in folder.documents},
        template_files=dict(folder.template_files),
        tokens={
            slug: frozenset(
                str(used.segments[1]) for _, used in one.tokens if len(used.segments) > 1
            )
            for slug, one in folder.templates.items()
        },
        unapproved=frozenset(
            slug for slug, one in folder.templates.items() if one.unapproved is not None
        ),
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
    fragments = _read_fragments(folder, catalog)
    interests = frozenset(document.slug for document in folder.of("solution_interest"))
    for slug, file in folder.template_files.items():
        text = read_text(folder, file)
        if text is None:
            continue
        if not SLUG.fullmatch(slug):
            folder.add(file, 1, "bad-value", f"{slug!r} is not a slug: {SLUG_IN_WORDS}")
        read = read_template(file, slug, text, catalog, fragments, interests, folder.limits)
        folder.templates[slug] = read
        folder.problems += read.problems


def _read_fragments(folder: Folder, catalog: FieldCatalog) -> Fragments:
    def report(code: str, file: str, line: int, fragment: str | None, message: str) -> None:
        document = f"fragment:{fragment}" if fragment else None
        folder.add(file, line, code, message, document=document)

    fragments: Fragments = {}
    for key, file in folder.fragment_files.items():
        text = read_text(folder, file)
        if text is None:
            continue
        if not SLUG.fullmatch(key.name):
            folder.add(file, 1, "bad-value", f"{key.name!r} is not a slug: {SLUG_IN_WORDS}")
        fragments[key] = read_fragment(file, key, text, catalog, report)
    check_nesting(fragments, report)
    for key, fragment in fragments.items():
        for line in empty_links(fragment.text):
            folder.add(
                fragment.file,
                line,
                "empty-link",
                "a link leads nowhere",
                document=f"fragment:{key.name}",
                severity="warning",
            )
    return fragments


def _read_audiences(folder: Folder, settings: WorkspaceDocument) -> dict[str, AudienceDocument]:
    names = frozenset(document.slug for document in folder.of("audience"))
    scope = Scope(
        catalog=settings.catalog,
        store="platform",
        activities_told=settings.activities_to_platform,
        audiences=names,
        people_audiences=_of_people(folder),
        personas=_names_of_personas(folder),
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


def _engage_scope(folder: Folder, settings: WorkspaceDocument) -> Scope:
    """What a condition in the engage store may speak of, whatever document it stands in."""
    return Scope(
        catalog=settings.catalog,
        audiences=frozenset(document.slug for document in folder.of("audience")),
        people_audiences=_of_people(folder),
        templates=frozenset(folder.template_files),
        groups=known_groups(folder),
        personas=_names_of_personas(folder),
    )


def _read_services(folder: Folder, catalog: FieldCatalog) -> dict[str, Service]:
    read = [read_service(folder.fields(document), catalog) for document in folder.of("service")]
    return {service.service: service for service in read if service is not None}


def _read_journeys(
    folder: Folder, settings: WorkspaceDocument, known: Scope
) -> dict[str, JourneyDocument]:
    journeys = {}
    for document in folder.of("journey"):
        fields = folder.fields(document)
        raw_nodes, raw_tokens = fields.raw.get("nodes"), fields.raw.get("tokens")
        if not isinstance(raw_nodes, dict):
            raw_nodes = {}
        names = frozenset(raw_nodes)
        listens = frozenset(name for name in names if _listens(raw_nodes[name]))
        scope = JourneyScope(
            conditions=replace(known, nodes=names, listens=listens, in_journey=True),
            templates=frozenset(folder.template_files),
            slots=settings.slots,
            audience_names=known.audiences - _of_people(folder),
            tokens=raw_tokens if isinstance(raw_tokens, dict) else {},
            journey=document.slug,
            journeys=frozenset(one.slug for one in folder.of("journey")),
            campaigns=frozenset(one.slug for one in folder.of("campaign")),
            services=frozenset(document.slug for document in folder.of("service")),
        )
        journey = read_journey(fields, settings, scope, folder.at)
        if journey is not None:
            journeys[journey.journey] = journey
            sender = f"journey {journey.journey}"
            check_mail(folder, sender, actions_of(journey), journey.tokens, settings)
            check_alerts(fields, actions_of(journey), settings)
    return journeys


def _read_campaigns(
    folder: Folder, settings: WorkspaceDocument, known: Scope
) -> dict[str, CampaignDocument]:
    campaigns = {}
    scope = JourneyScope(
        conditions=known,
        templates=frozenset(folder.template_files),
        slots=settings.slots,
        audience_names=frozenset(),
        tokens={},
        campaigns=frozenset(one.slug for one in folder.of("campaign")),
    )
    for document in folder.of("campaign"):
        campaign = read_campaign(folder.fields(document), scope)
        if campaign is not None:
            campaigns[campaign.campaign] = campaign
            sender = f"campaign {campaign.campaign}"
            check_mail(folder, sender, campaign.actions, {}, settings)
    check_requests(folder, campaigns)
    return campaigns


def _read_communication_limits(
    folder: Folder, settings: WorkspaceDocument
) -> dict[str, CommunicationLimitsDocument]:
    read = (
        read_communication_limits(
            folder.fields(document), settings.zone, of_account=settings.zone_of_account
        )
        for document in folder.of("communication_limits")
    )
    return {one.communication_limits: one for one in read if one is not None}


def _read_sources(folder: Folder, catalog: FieldCatalog) -> dict[str, SourceDocument]:
    read = [read_source(folder.fields(document), catalog) for document in folder.of("source")]
    return {source.source: source for source in read if source is not None}


def _names_of_personas(folder: Folder) -> frozenset[str]:
    """The personas, as they say of themselves before they are read."""
    return frozenset(document.slug for document in folder.of("persona"))


def _read_personas(folder: Folder) -> dict[str, PersonaDocument]:
    documents = folder.of("persona")
    if len(documents) > folder.limits.personas:
        first = documents[folder.limits.personas]
        folder.add(
            first.file,
            first.source.line(()),
            "bad-value",
            f"a workspace has at most {folder.limits.personas} personas, not {len(documents)} "
            + folder.limits.over("personas"),
            document=f"persona:{first.slug}",
        )
    read = [read_persona(folder.fields(document)) for document in documents]
    return {one.persona: one for one in read if one is not None}


def _listens(raw_node: object) -> bool:
    return isinstance(raw_node, dict) and "listen" in raw_node


def _read_tests(folder: Folder, catalog: FieldCatalog) -> dict[str, TestsDocument]:
    """The tests of journeys, by the names their nodes have, whether or not those can be read."""
    nodes = {
        document.slug: _nodes_written(document.source.data) for document in folder.of("journey")
    }
    tests = {}
    for document in folder.of("tests"):
        read = read_tests(
            folder.fields(document), catalog, nodes, document.file, document.source.line
        )
        if read is not None:
            tests[read.tests] = read
    return tests


def _nodes_written(journey: dict[str, Any]) -> list[str]:
    raw = journey.get("nodes")
    return [*(raw if isinstance(raw, dict) else []), *nodes_written(journey.get("exits"))]
