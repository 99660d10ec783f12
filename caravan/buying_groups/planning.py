"""What storing documents would change for groups, by doing it and taking it back.

The same statements as storing and upkeep, in transactions that are rolled back: so a plan cannot part
from what comes to pass. Each page of accounts is a transaction of its own, so that nobody waits for a plan
longer than for a page of upkeep.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from caravan.buying_groups import storing, upkeep
from caravan.buying_groups.differences import differences
from caravan.engage import sql
from caravan.journeys.documents.buying_groups import BuyingGroupsDocument
from caravan.journeys.documents.roles_template import RolesTemplateDocument
from caravan.journeys.documents.score_model import ScoreModelDocument
from caravan.journeys.documents.solution_interest import SolutionInterestDocument
from caravan.journeys.documents.stage_model import StageModelDocument
from caravan.journeys.workspace import Workspace

#: accounts of one trial
PAGE = 1000

NEW, CHANGED, GONE = "new", "changed", "gone"


@dataclass(frozen=True)
class Change:
    """A document that is new, changed or gone; others are not told."""

    kind: str
    slug: str
    change: str
    words: tuple[str, ...] = ()
    version: int | None = None  # what it becomes


@dataclass
class Effect:
    """What upkeep would do to the groups of a solution interest, once the documents are stored."""

    made: int = 0  # groups, for accounts that are here
    other_roles: int = 0  # groups that go by other roles from then on
    other_stages: int = 0
    added: int = 0  # members
    changed: int = 0  # members who play another role
    removed: int = 0
    more_complete: int = 0  # groups that were there
    less_complete: int = 0
    qualified: int = 0  # groups that become marketing-qualified
    lacking: Counter[str] = field(default_factory=Counter)
    """Groups by the stage they stand on, where their model will not have it."""


async def changes(conn: Any, workspace: Workspace) -> list[Change]:
    """What is new, changed and gone, against what is stored."""
    found = []
    for kind, table, model, documents in (
        ("roles_template", "roles_templates", RolesTemplateDocument, workspace.roles_templates),
        ("stage_model", "stage_models", StageModelDocument, workspace.stage_models),
        ("score_model", "score_models", ScoreModelDocument, storing.score_models_of(workspace)),
    ):
        rows = {row["slug"]: row for row in await sql.fetch(conn, f"stored_documents_{table}")}
        olds = {slug: model.model_validate(row["body"]) for slug, row in rows.items()}
        versions = {slug: row["version"] for slug, row in rows.items()}
        found += _compared(kind, olds, documents, versions)
    active = await sql.fetchval(conn, "active_score_model")
    if active is not None and active not in storing.score_models_of(workspace):
        found.append(Change("score_model", active, GONE, ("another becomes the active one",)))
    found += await _interests(conn, workspace.solution_interests)
    found += await _jobs(conn, workspace.buying_group_jobs)
    return found


def first(workspace: Workspace) -> list[Change]:
    """What is new where nothing is stored yet: all of it."""
    return [
        *_compared("roles_template", {}, workspace.roles_templates, {}),
        *_compared("stage_model", {}, workspace.stage_models, {}),
        *_compared("score_model", {}, storing.score_models_of(workspace), {}),
        *_compared("solution_interest", {}, workspace.solution_interests),
        *_compared("buying_groups", {}, workspace.buying_group_jobs),
    ]


async def effects(
    pool: Any,
    workspace: Workspace,
    joining: Mapping[str, Sequence[int]],
    at: datetime,
    follow: Callable[[int, int], None] = lambda *_: None,
) -> dict[str, Effect]:
    """Try it, page by page, and tell what became of the groups.

    Args:
        pool: of the engage store.
        workspace: what would be stored.
        joining: accounts that its jobs would look at besides, by audience.
        at: domain time.
        follow: told how many accounts were looked at, and of how many.

    Returns:
        By solution interest; those whose groups stay as they are, are not told.
    """
    async with taken_back(pool) as conn:
        await storing.store(conn, workspace, at)
        concerned = {row["account_id"] for row in await sql.fetch(conn, "questioned_here")}
    accounts = sorted(concerned.union(*joining.values()))
    told: dict[str, Effect] = {}
    for start in range(0, len(accounts), PAGE):
        page = accounts[start : start + PAGE]
        async with taken_back(pool) as conn:
            before = await _Standing.of(conn, page)
            await storing.store(conn, workspace, at)
            for audience, account_ids in joining.items():
                here = sorted(set(account_ids).intersection(page))
                await sql.execute(conn, "begin_copy", audience=audience, of="accounts")
                await sql.execute(
                    conn, "copy_members", audience=audience, of="accounts", subject_ids=here
                )
            await upkeep.keep_accounts(conn, page, at)
            _tell(before, await _Standing.of(conn, page), told)
        follow(start + len(page), len(accounts))
    return {slug: effect for slug, effect in told.items() if effect != Effect()}


@asynccontextmanager
async def taken_back(pool: Any) -> AsyncIterator[Any]:
    """A connection in a transaction that is rolled back, whatever happens."""
    async with pool.acquire() as conn:
        trial = conn.transaction()
        await trial.start()
        try:
            yield conn
        finally:
            await trial.rollback()


@dataclass(frozen=True)
class _Standing:
    """Groups of some accounts, and who plays which role in them."""

    groups: Mapping[int, Any]
    roles: Mapping[tuple[int, int], str]  # by group and person

    @classmethod
    async def of(cls, conn: Any, account_ids: Sequence[int]) -> "_Standing":
        groups = await sql.fetch(conn, "groups_as_they_stand", account_ids=account_ids)
        members = await sql.fetch(conn, "members_as_they_stand", account_ids=account_ids)
        return cls(
            groups={row["id"]: row for row in groups},
            roles={(row["group_id"], row["person_id"]): row["role"] for row in members},
        )


def _tell(before: _Standing, after: _Standing, told: dict[str, Effect]) -> None:
    def of(group_id: int) -> Effect:
        return told.setdefault(after.groups[group_id]["solution_interest"], Effect())

    for group_id, group in after.groups.items():
        was = before.groups.get(group_id)
        if was is None:
            of(group_id).made += 1
        else:
            of(group_id).other_roles += group["template_id"] != was["template_id"]
            of(group_id).other_stages += group["stage_model_id"] != was["stage_model_id"]
            of(group_id).more_complete += group["completeness"] > was["completeness"]
            of(group_id).less_complete += group["completeness"] < was["completeness"]
        of(group_id).qualified += group["qualified"] and not (was and was["qualified"])
        if group["lacking"]:
            of(group_id).lacking[group["stage"]] += 1
    for place, role in after.roles.items():
        of(place[0]).added += place not in before.roles
        of(place[0]).changed += before.roles.get(place, role) != role
    for place in before.roles.keys() - after.roles.keys():
        of(place[0]).removed += 1


def _compared(
    kind: str,
    olds: Mapping[str, BaseModel],
    documents: Mapping[str, BaseModel],
    versions: Mapping[str, int] | None = None,
) -> list[Change]:
    found = []
    for slug, document in sorted(documents.items()):
        version = versions.get(slug, 0) + 1 if versions is not None else None
        old = olds.get(slug)
        if old is None:
            found.append(Change(kind, slug, NEW, version=version))
        elif old != document:
            words = tuple(differences(old, document)) or ("is written otherwise",)
            found.append(Change(kind, slug, CHANGED, words, version))
    return found


async def _interests(conn: Any, documents: Mapping[str, SolutionInterestDocument]) -> list[Change]:
    """New ones and changed ones; one that is gone stays stored, and its jobs tell what that means."""
    rows = {row["slug"]: row for row in await sql.fetch(conn, "stored_interests")}
    olds = {
        slug: SolutionInterestDocument(
            solution_interest=slug,
            roles_template=row["roles_template"],
            stage_model=row["stage_model"],
            qualified=row["qualified"],
        )
        for slug, row in rows.items()
    }
    return _compared("solution_interest", olds, documents)


async def _jobs(conn: Any, documents: Mapping[str, BuyingGroupsDocument]) -> list[Change]:
    rows = await sql.fetch(conn, "stored_jobs")
    olds = {
        row["slug"]: BuyingGroupsDocument(
            buying_groups=row["slug"],
            solution_interest=row["solution_interest"],
            audience=row["audience"],
        )
        for row in rows
    }
    left = {document.solution_interest for document in documents.values()}
    gone = []
    for slug in sorted(olds.keys() - documents.keys()):
        interest = olds[slug].solution_interest
        kept = "another job keeps them up" if interest in left else "they are kept up no more"
        gone.append(
            Change("buying_groups", slug, GONE, (f"the groups of {interest} stay; {kept}",))
        )
    return _compared("buying_groups", olds, documents) + gone
