"""What ``apply`` would change, before it does: documents, buying groups, and journeys.

Nothing stays of it: whatever a plan writes to find out is taken back.
"""

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caravan.buying_groups import planning
from caravan.buying_groups.planning import NEW, Change, Effect
from caravan.campaigns import communication_limit_changes
from caravan.engage import journeys, sql
from caravan.journeys.compiler import compile_journey
from caravan.journeys.documents.buying_groups import BuyingGroupsDocument
from caravan.journeys.life_cycle import Refused
from caravan.journeys.workspace import Workspace
from caravan.platform import audiences
from caravan.platform import sql as platform_sql

PAGE = 5000


@dataclass(frozen=True)
class JourneyPlan:
    """``change``: new, changed, unchanged, ended (publish it with --reopen), refused, or left: not in the
    workspace, and goes on as it is."""

    slug: str
    change: str
    version: int | None
    words: str | None = None


@dataclass(frozen=True)
class Plan:
    """What would change."""

    documents: tuple[Change, ...]
    effects: Mapping[str, Effect]  # by solution interest
    to_come: Mapping[str, int]
    """By job: accounts of its audience that are not in the engage store yet."""
    journeys: tuple[JourneyPlan, ...]

    @property
    def is_empty(self) -> bool:
        """Nothing is new, changed or gone."""
        return not self.documents and not any(
            one.change in (NEW, "changed") for one in self.journeys
        )


@dataclass
class _Joining:
    """Accounts that jobs would look at, and those they would bring in first."""

    by_audience: dict[str, set[int]] = field(default_factory=dict)
    to_come: dict[str, int] = field(default_factory=dict)


async def plan(
    engage: Any,
    platform: Any,
    workspace: Workspace,
    at: datetime,
    follow: Callable[[int, int], None] = lambda *_: None,
) -> Plan:
    """Find out what storing and publishing a workspace would change.

    Its data files are not looked at: what they would change of accounts and people is not in it.

    Args:
        engage: the subscription's pool.
        platform: the sandbox's pool.
        workspace: without errors.
        at: domain time.
        follow: told how many accounts were looked at, and of how many.
    """
    async with engage.acquire() as conn:
        documents = await planning.changes(conn, workspace)
        documents += await communication_limit_changes.changes(conn, workspace.communication_limits)
    begun = {one.slug for one in documents if one.kind == "buying_groups"}
    jobs = await _concerned(platform, workspace, begun)
    joining = await _joining(engage, platform, workspace, jobs, begun, at)
    effects = await planning.effects(
        engage,
        workspace,
        {audience: sorted(ids) for audience, ids in joining.by_audience.items()},
        at,
        follow,
    )
    return Plan(
        documents=tuple(documents),
        effects=effects,
        to_come=joining.to_come,
        journeys=tuple(await _journeys(engage, workspace, at)),
    )


def first(workspace: Workspace) -> Plan:
    """Where its subscription is not there yet, everything is new."""
    return Plan(
        documents=(
            *planning.first(workspace),
            *communication_limit_changes.compared({}, workspace.communication_limits),
        ),
        effects={},
        to_come={},
        journeys=tuple(JourneyPlan(slug, NEW, 1) for slug in sorted(workspace.journeys)),
    )


async def _concerned(
    platform: Any, workspace: Workspace, begun: Collection[str]
) -> list[BuyingGroupsDocument]:
    """The jobs that may make groups because of this: new and changed ones; all, where an audience changes."""
    stored = {
        row["slug"]: (row["of"], row["condition"])
        for row in await platform_sql.fetch(platform, "audiences")
    }
    asked = {
        slug: (document.of, document.when.model_dump(mode="json"))
        for slug, document in workspace.audiences.items()
    }
    if any(stored.get(slug) != said for slug, said in asked.items()):
        return list(workspace.buying_group_jobs.values())
    return [job for slug, job in workspace.buying_group_jobs.items() if slug in begun]


async def _joining(
    engage: Any,
    platform: Any,
    workspace: Workspace,
    jobs: list[BuyingGroupsDocument],
    begun: Collection[str],
    at: datetime,
) -> _Joining:
    """Whom the audiences of jobs would have, by the Platform's own evaluation.

    A job that begins looks at everybody of its audience, also at those who have a group already.
    """
    joining = _Joining()
    if not jobs:
        return joining
    said = await audiences.stored(platform)
    said |= audiences.written(workspace.audiences, workspace.settings.zone)
    async with platform.acquire() as conn, conn.transaction(readonly=True):
        await platform_sql.execute(conn, "allow_minutes")
        matching = {
            slug: await audiences.matching(conn, slug, said, at)
            for slug in {job.audience for job in jobs}
        }
        for job in jobs:
            for page in _pages(matching[job.audience]):
                rows = await sql.fetch(
                    engage,
                    "accounts_without_group",
                    account_ids=page,
                    solution_interest=job.solution_interest,
                )
                here = {row["id"] for row in rows}
                looked_at = {
                    row["id"]
                    for row in rows
                    if row["fit"] and (job.buying_groups in begun or not row["has"])
                }
                joining.by_audience.setdefault(job.audience, set()).update(looked_at)
                come = await platform_sql.fetch(
                    conn, "named_accounts", ids=[one for one in page if one not in here]
                )
                slug = job.buying_groups
                joining.to_come[slug] = joining.to_come.get(slug, 0) + len(come)
    return joining


def _pages(ids: "array[int]") -> Iterator[list[int]]:
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE].tolist()


async def _journeys(engage: Any, workspace: Workspace, at: datetime) -> list[JourneyPlan]:
    told = []
    for slug in sorted(workspace.journeys):
        try:
            stored = await journeys.foresee(engage, compile_journey(workspace, slug), at)
        except Refused as why:
            told.append(JourneyPlan(slug, "refused", None, str(why)))
            continue
        change = stored.change
        if change == "published":
            change = NEW if stored.version == 1 else "changed"
        told.append(JourneyPlan(slug, change, stored.version))
    known = {row["slug"] for row in await sql.fetch(engage, "running_journeys")}
    told += [JourneyPlan(slug, "left", None) for slug in sorted(known - workspace.journeys.keys())]
    return told
