"""Managed custom fields of a workspace: what a journey that runs uses can be neither removed nor retyped.

A workspace declares its fields; a journey keeps, in its plan, those of the day it was published. Fields are added
freely, and those that nothing that runs speaks of may go.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from caravan.database.errors import StoreError
from caravan.engage import sql
from caravan.engage.plans import load_plan
from caravan.journeys.conditions.model import Condition
from caravan.journeys.conditions.naming import audiences_anywhere, audiences_named
from caravan.journeys.field_uses import FieldUse, fields_used
from caravan.journeys.plan import Plan
from caravan.journeys.workspace import Workspace
from caravan.platform import sql as platform_sql

_condition: TypeAdapter[Condition] = TypeAdapter(Condition)


class FieldInUse(StoreError):
    """A journey that runs uses a field as it was; nothing was stored."""


async def refuse_changes_in_use(engage: Any, platform: Any, workspace: Workspace) -> None:
    """See that what the running journeys use of the managed fields is still there, and of its type.

    Args:
        engage: the subscription's pool.
        platform: the sandbox's pool.
        workspace: about to be stored.

    Raises:
        FieldInUse: names the field, each journey, the files and the remedy.
    """
    conditions = {
        row["slug"]: _condition.validate_python(row["condition"])
        for row in await platform_sql.fetch(platform, "conditions")
    } | {slug: document.when for slug, document in workspace.audiences.items()}
    using: dict[tuple[str, str, str], list[str]] = {}
    for row in await sql.fetch(engage, "versions_that_use_fields"):
        plan = await load_plan(engage, row["plan_hash"])
        for field, done in _refusals(plan, conditions, workspace):
            versions = using.setdefault((field, done, row["slug"]), [])
            versions.append(f"v{row['version']} ({row['state']})")
    if using:
        raise FieldInUse(
            "; ".join(_in_words(*key, versions, workspace) for key, versions in using.items())
        )


def _refusals(
    plan: Plan, conditions: Mapping[str, Condition], workspace: Workspace
) -> list[tuple[str, str]]:
    """The fields that a plan uses and the workspace declares otherwise, and what it did to each."""
    used: set[FieldUse] | None = None
    refused = []
    for entity, published in plan.catalog.custom.items():
        declared = workspace.catalog.of(entity)
        for name, kind in published.items():
            if declared.get(name) == kind:
                continue
            if used is None:  # most applies change no field, and need not look
                used = fields_used(plan) | _used_by_audiences(plan, conditions)
            if FieldUse(entity, name) in used:
                now = declared.get(name)
                done = "removed" if now is None else f"changed from {kind} to {now}"
                refused.append((f"{entity}.{name}", done))
    return refused


def _used_by_audiences(plan: Plan, conditions: Mapping[str, Condition]) -> set[FieldUse]:
    """The fields of the audience whose accounts enter, of those its conditions name, and of theirs."""
    used: set[FieldUse] = set()
    seen: set[str] = set()
    todo = audiences_anywhere(plan) | (set() if plan.of_list else {plan.audience})
    while todo:
        audience = todo.pop()
        if audience in conditions and audience not in seen:
            seen.add(audience)
            used |= fields_used(conditions[audience])
            todo |= audiences_named(conditions[audience])
    return used


def _in_words(field: str, done: str, slug: str, versions: list[str], workspace: Workspace) -> str:
    declared_in = workspace.files.get(f"workspace:{workspace.settings.workspace}", "the workspace")
    where = workspace.files.get(f"journey:{slug}", "its document is gone from the workspace")
    return (
        f"{declared_in}: the field {field} cannot be {done}: journey {slug} {', '.join(versions)} "
        f"uses it ({where}). Leave it as it was, or let the journey end first: `caravan "
        f"journey close {slug}` and wait for its accounts, or `caravan journey abort {slug}`"
    )
