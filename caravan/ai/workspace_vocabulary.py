"""What a model is told of a workspace: the names of things. No row of data is among them, nor any value of one."""

from typing import Any

from caravan.journeys.cross_checks import actions_of
from caravan.journeys.events import EVENTS
from caravan.journeys.workspace import Workspace


def for_mail(workspace: Workspace, slugs: tuple[str, ...]) -> dict[str, Any]:
    """What a template may speak of; ``slugs``: which it is, for that says whose tokens it has."""
    return {
        "sender": workspace.settings.sender.name,
        "sender_domain": sender_domain(workspace),
        "tokens": {
            "person": workspace.catalog.of("person"),
            "account": workspace.catalog.of("account"),
            "my": sorted(tokens_for(workspace, slugs)),
        },
    }


def for_journey(workspace: Workspace) -> dict[str, Any]:
    """What a journey may speak of, and which names are taken."""
    settings, catalog = workspace.settings, workspace.catalog
    return {
        "workspace": settings.workspace,
        "zone": settings.zone,
        "sender": settings.sender.name,
        "sender_domain": sender_domain(workspace),
        "slots": sorted(settings.slots),
        "fields": {
            entity: catalog.of(entity)
            for entity in ("account", "person", "opportunity", "relation")
        },
        "scores": sorted(catalog.scores),
        "personas": {slug: one.described_as for slug, one in workspace.personas.items()},
        "events": {
            name: {"of": event.whose, "names": list(event.names), "tests": event.tests}
            for name, event in EVENTS.items()
        },
        "audiences": {slug: one.of for slug, one in sorted(workspace.audiences.items())},
        "lists": sorted(f"{of} {slug}" for of, slug in workspace.lists),
        "journeys": sorted(workspace.journeys),
        "campaigns": sorted(workspace.campaigns),
        "emails": sorted(workspace.template_files),
        "solution_interests": {
            slug: {
                "roles": [role.role for role in template.roles] if template is not None else [],
                "stages": [stage.stage for stage in model.stages] if model is not None else [],
            }
            for slug, one in sorted(workspace.solution_interests.items())
            for template in [workspace.roles_templates.get(one.roles_template)]
            for model in [workspace.stage_models.get(one.stage_model or "")]
        },
        "files": sorted({*workspace.files.values(), *workspace.template_files.values()}),
    }


def tokens_for(workspace: Workspace, slugs: tuple[str, ...]) -> frozenset[str]:
    """The tokens that all journeys have which send one of these templates; none where no journey does."""
    have = [
        frozenset(journey.tokens)
        for journey in workspace.journeys.values()
        if any(one.kind == "send_email" and one.template in slugs for one in actions_of(journey))
    ]
    return frozenset.intersection(*have) if have else frozenset()


def sender_domain(workspace: Workspace) -> str | None:
    """Where the workspace's mail is from: a link to it is one of its own."""
    email = workspace.settings.sender.email
    return email.rpartition("@")[2] or None if email else None
