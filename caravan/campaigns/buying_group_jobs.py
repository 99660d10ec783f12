"""How far buying-group jobs are: the Platform says who is in a job's audience, this store who has a group."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.engage import sql
from caravan.platform import sql as platform_sql

PAGE = 5000


@dataclass(frozen=True)
class Job:
    """A job as it stands. Two jobs of one solution interest share the groups of the accounts they share."""

    slug: str
    solution_interest: str
    audience: str
    state: str  # making: not every account has its group yet · keeping up · deleted
    accounts: int  # in the audience
    made: int  # of them, with a group
    kept: int  # of those, looked at
    waiting: int  # accounts of the audience whose groups are to be looked at
    kept_at: datetime | None  # the last upkeep of one of them


async def jobs(engage: Any, platform: Any) -> list[Job]:
    """All jobs, those that were deleted last."""
    return [
        await _job(engage, platform, row)
        for row in await sql.fetch(engage, "buying_group_jobs_all")
    ]


async def unfinished(engage: Any, platform: Any) -> list[Job]:
    """The jobs whose first intake is not through."""
    return [
        await _job(engage, platform, row)
        for row in await sql.fetch(engage, "buying_group_jobs_all")
        if row["flow_at"] is None and row["deleted_at"] is None
    ]


MAKING = "making"
KEEPING = "keeping up"
DELETED = "deleted"


async def _job(engage: Any, platform: Any, row: Any) -> Job:
    accounts = made = kept = waiting = 0
    kept_at: datetime | None = None
    page: Sequence[int] = [0]
    while page:
        members = await platform_sql.fetch(
            platform, "member_page", audience=row["audience"], after=page[-1], limit=PAGE
        )
        page = [member["subject_id"] for member in members]
        groups = await sql.fetchrow(
            engage,
            "groups_of_accounts",
            account_ids=page,
            solution_interest=row["solution_interest"],
        )
        # without a name they stay in the Platform
        accounts += len(await platform_sql.fetch(platform, "named_accounts", ids=page))
        made += groups["made"]
        kept += groups["kept"]
        waiting += groups["waiting"]
        kept_at = max(filter(None, (kept_at, groups["kept_at"])), default=None)
    if row["deleted_at"] is not None:
        state = DELETED
    else:
        state = KEEPING if row["flow_at"] is not None and kept == made else MAKING
    return Job(
        slug=row["slug"],
        solution_interest=row["solution_interest"],
        audience=row["audience"],
        state=state,
        accounts=accounts,
        made=made,
        kept=kept,
        waiting=waiting,
        kept_at=kept_at,
    )
