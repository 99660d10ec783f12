"""Storing the documents of buying groups: a changed one is a new version, an unchanged one nothing.

What is in use is never changed in place. Groups follow the latest versions at their next upkeep, for which
they are put in question here. A job that is gone from the workspace is closed; its groups stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from caravan.buying_groups.asking import asked_by
from caravan.engage import sql
from caravan.journeys.documents.roles_template import RolesTemplateDocument
from caravan.journeys.documents.score_model import ScoreModelDocument, implied
from caravan.journeys.documents.solution_interest import SolutionInterestDocument
from caravan.journeys.workspace import Workspace


@dataclass(frozen=True)
class Version:
    """A document that was new or changed, and the version it became."""

    kind: str
    slug: str
    version: int


@dataclass(frozen=True)
class Stored:
    """What came of storing."""

    versions: tuple[Version, ...]
    closed: tuple[str, ...]  # jobs that are gone from the workspace


async def store(conn: Any, workspace: Workspace, at: datetime) -> Stored:
    """Store what a valid workspace says of buying groups.

    Args:
        conn: of the engage store, in a transaction.
        workspace: without errors.
        at: domain time.
    """
    await sql.execute(conn, "one_storer")
    templates = await _templates(conn, workspace.roles_templates, at)
    stage_models = await _versions(
        conn, "stage_models", "insert_stage_model", workspace.stage_models, at
    )
    score_models = await _score_models(conn, workspace, at)
    changed = {one.slug for one in templates}, {one.slug for one in stage_models}
    await _interests(conn, workspace.solution_interests, *changed)
    closed = await _jobs(conn, workspace, at)
    return Stored((*templates, *stage_models, *score_models), closed)


def score_models_of(workspace: Workspace) -> Mapping[str, ScoreModelDocument]:
    """The workspace's, or what counts where it has none."""
    default = implied(workspace.settings.zone)
    return workspace.score_models or {default.score_model: default}


def intake_of(job_id: int) -> str:
    """The cursor of a job's first intake."""
    return f"buying-groups:{job_id}"


async def _templates(
    conn: Any, documents: Mapping[str, RolesTemplateDocument], at: datetime
) -> list[Version]:
    versions = []
    for slug, number, body in await _changed(conn, "roles_templates", documents):
        document = documents[slug]
        template_id = await sql.fetchval(
            conn,
            "insert_roles_template",
            slug=slug,
            version=number,
            body=body,
            denominator=document.denominator,
            at=at,
        )
        await sql.execute(
            conn,
            "insert_template_roles",
            template_id=template_id,
            roles=[role.role for role in document.roles],
            weights=[role.weight for role in document.roles],
            required=[role.required for role in document.roles],
            members_required=[role.members_required for role in document.roles],
            parts=[document.parts(role) for role in document.roles],
        )
        versions.append(Version("roles_template", slug, number))
    return versions


async def _versions(
    conn: Any, table: str, insert: str, documents: Mapping[str, BaseModel], at: datetime
) -> list[Version]:
    versions = []
    for slug, number, body in await _changed(conn, table, documents):
        await sql.fetchval(conn, insert, slug=slug, version=number, body=body, at=at)
        versions.append(Version(table.removesuffix("s"), slug, number))
    return versions


async def _changed(
    conn: Any, table: str, documents: Mapping[str, BaseModel]
) -> list[tuple[str, int, Any]]:
    """Slug, next version and body of those that say something else than their latest version."""
    rows = await sql.fetch(conn, f"latest_{table}", slugs=sorted(documents))
    latest = {row["slug"]: row for row in rows}
    changed = []
    for slug in sorted(documents):
        body = documents[slug].model_dump(mode="json")
        known = latest.get(slug)
        if known is None or known["body"] != body:
            changed.append((slug, known["version"] + 1 if known is not None else 1, body))
    return changed


async def _score_models(conn: Any, workspace: Workspace, at: datetime) -> list[Version]:
    """Exactly one is active."""
    documents = score_models_of(workspace)
    versions = await _versions(conn, "score_models", "insert_score_model", documents, at)
    active = sorted(slug for slug, document in documents.items() if document.active)[:1]
    for row in await sql.fetch(conn, "latest_score_models", slugs=active):
        await sql.execute(conn, "archive_score_models", id=row["id"])
        await sql.execute(conn, "activate_score_model", id=row["id"])
    return versions


async def _interests(
    conn: Any,
    documents: Mapping[str, SolutionInterestDocument],
    templates: set[str],
    stage_models: set[str],
) -> None:
    """Store solution interests; groups of those that go by something new are put in question."""
    concerned = []
    for slug in sorted(documents):
        document = documents[slug]
        changed = await sql.fetchval(
            conn,
            "store_solution_interest",
            slug=slug,
            roles_template=document.roles_template,
            stage_model=document.stage_model,
            qualified=document.qualified.model_dump(mode="json") if document.qualified else None,
        )
        follows = document.roles_template in templates or document.stage_model in stage_models
        if changed or follows:
            concerned.append(slug)
    if concerned:
        await sql.execute(conn, "question_groups_of", solution_interests=concerned)


async def _jobs(conn: Any, workspace: Workspace, at: datetime) -> tuple[str, ...]:
    """Store jobs and close those that are gone."""
    documents = workspace.buying_group_jobs
    for slug in sorted(documents):
        interest = workspace.solution_interests[documents[slug].solution_interest]
        asks = asked_by(workspace.roles_templates[interest.roles_template])
        begun = await sql.fetchval(
            conn,
            "store_job",
            slug=slug,
            solution_interest=interest.solution_interest,
            audience=documents[slug].audience,
            asks=asks,
            at=at,
        )
        await sql.execute(conn, "note_asks", slug=slug, asks=asks)
        if begun is not None:
            await sql.execute(conn, "forget_intake", stream=intake_of(begun))
    rows = await sql.fetch(conn, "close_jobs", kept=sorted(documents), at=at)
    return tuple(row["slug"] for row in rows)
