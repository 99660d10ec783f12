"""Reading a workspace's documents of buying groups, and what its conditions and actions may name of them."""

from dataclasses import dataclass, field, replace

from caravan.journeys.conditions.scope import KnownGroups, KnownInterest, Scope
from caravan.journeys.documents import (
    BuyingGroupsDocument,
    RolesTemplateDocument,
    ScoreModelDocument,
    SolutionInterestDocument,
    StageModelDocument,
    read_buying_groups,
    read_roles_template,
    read_score_model,
    read_solution_interest,
    read_stage_model,
)
from caravan.journeys.documents.roles_template import DEFAULT_ROLES
from caravan.journeys.folder import Document, Folder
from caravan.journeys.written import as_written


@dataclass(frozen=True)
class BuyingGroupDocuments:
    """What a workspace says of buying groups, each kind by slug."""

    roles_templates: dict[str, RolesTemplateDocument] = field(default_factory=dict)
    stage_models: dict[str, StageModelDocument] = field(default_factory=dict)
    solution_interests: dict[str, SolutionInterestDocument] = field(default_factory=dict)
    jobs: dict[str, BuyingGroupsDocument] = field(default_factory=dict)
    score_models: dict[str, ScoreModelDocument] = field(default_factory=dict)


def known_groups(folder: Folder) -> KnownGroups:
    """What may be named, as the documents say of themselves before they are read.

    So a mistake elsewhere in a template or a model does not make its roles or stages unknown.
    """
    roles = {one.slug: _names(one, "roles", "role") for one in folder.of("roles_template")}
    stages = {one.slug: _names(one, "stages", "stage") for one in folder.of("stage_model")}
    interests = {}
    for one in folder.of("solution_interest"):
        template, model = (one.source.data.get(key) for key in ("roles_template", "stage_model"))
        interests[one.slug] = KnownInterest(
            roles=roles.get(as_written(template)),
            stages=frozenset() if model is None else stages.get(as_written(model)),
        )
    return KnownGroups(
        interests,
        roles=frozenset(DEFAULT_ROLES).union(*roles.values()),
        stages=frozenset().union(*stages.values()),
    )


def read_buying_group_documents(folder: Folder, zone: str, scope: Scope) -> BuyingGroupDocuments:
    """Read them all.

    Args:
        folder: takes the problems.
        zone: the workspace's.
        scope: of conditions in the engage store, with the lists they may name.
    """
    of_template = replace(scope, of_template=True)
    templates, models, interests = (
        {one.slug for one in folder.of(kind)}
        for kind in ("roles_template", "stage_model", "solution_interest")
    )
    read = BuyingGroupDocuments()
    for document in folder.of("roles_template"):
        template = read_roles_template(folder.fields(document), of_template, zone)
        if template is not None:
            read.roles_templates[document.slug] = template
    for document in folder.of("stage_model"):
        model = read_stage_model(folder.fields(document))
        if model is not None:
            read.stage_models[document.slug] = model
    for document in folder.of("solution_interest"):
        interest = read_solution_interest(folder.fields(document), templates, models)
        if interest is not None:
            read.solution_interests[document.slug] = interest
    for document in folder.of("buying_groups"):
        job = read_buying_groups(folder.fields(document), interests, scope)
        if job is not None:
            read.jobs[document.slug] = job
    read.score_models.update(_read_score_models(folder, zone))
    return read


def _read_score_models(folder: Folder, zone: str) -> dict[str, ScoreModelDocument]:
    """The score models, exactly one of which is active."""
    documents = folder.of("score_model")
    read = {}
    for document in documents:
        model = read_score_model(folder.fields(document), zone, alone=len(documents) == 1)
        if model is not None:
            read[document.slug] = model
    active = [one for one in documents if one.source.data.get("active") is True]
    if len(documents) > 1 and not active:
        folder.fields(documents[0]).problem(
            "missing-key", None, "of several score models one says active: true"
        )
    for surplus in active[1:]:
        folder.fields(surplus).problem(
            "bad-value", "active", f"the score model {active[0].slug} is active already"
        )
    return read


def _names(document: Document, key: str, name: str) -> frozenset[str]:
    """The names that the mappings of a list have, whatever else they say."""
    raw = document.source.data.get(key)
    return frozenset(
        as_written(one[name])
        for one in (raw if isinstance(raw, list) else ())
        if isinstance(one, dict) and not isinstance(one.get(name), dict | list | type(None))
    )
