"""The first intake of a buying-group job: the accounts of its audience come in, and are put in question.

As a journey's (``audience_flow``), and for the same reason under the cursor of the stream that follows the
Platform. Whoever is here already is only put in question. The stream brings in who qualifies later.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.buying_groups.storing import intake_of
from caravan.campaigns import audience_copies, departure, intake
from caravan.campaigns.plans import PlanCache
from caravan.database import outbox
from caravan.engage import sql
from caravan.platform import down_flow
from caravan.platform import sql as platform_sql
from caravan.platform.whole_evaluation import evaluate_whole

ACCOUNTS_PAGE = 500


@dataclass(frozen=True)
class Intake:
    """How far a job's first intake is."""

    slug: str
    accounts: int  # brought in so far
    size: int  # of the audience when it began
    moved: int  # by this page


async def bring_in_page(
    engage: Any, platform: Any, plans: PlanCache, as_of: datetime
) -> Intake | None:
    """Bring in the next accounts of the first job that is not through; None where all are.

    Committed with its cursor: it may be killed anywhere, and goes on from there.
    """
    for job in await sql.fetch(engage, "open_buying_group_jobs"):
        if job["flow_at"] is None:
            page = await _page_of(job, engage, platform, plans, as_of)
            if page is not None:
                return page
    return None


async def _page_of(
    job: Any, engage: Any, platform: Any, plans: PlanCache, as_of: datetime
) -> Intake | None:
    async with engage.acquire() as conn, conn.transaction():
        await outbox.lock_cursor(conn, down_flow.STREAM)
        copies = await audience_copies.begin(conn, platform, as_of)
        if job["audience"] not in copies:
            return None  # it is not stored yet: asked for again
        cursor = await outbox.lock_cursor(conn, intake_of(job["id"]))
        size = job["size"] if cursor.seq else await _begin(conn, job, platform, as_of)
        rows = await platform_sql.fetch(
            platform,
            "member_page",
            audience=job["audience"],
            after=cursor.seq,
            limit=ACCOUNTS_PAGE,
        )
        page = [row["subject_id"] for row in rows]
        if not page:
            await sql.execute(conn, "note_job_flow", id=job["id"], at=as_of)
            return Intake(job["slug"], size, size, 0)
        held = {row["id"] for row in await sql.fetch(conn, "held_accounts", account_ids=page)}
        bundle = await down_flow.export(platform, [one for one in page if one not in held])
        gone = await intake.take_in(conn, plans, bundle, as_of)
        await audience_copies.renew(conn, plans, platform, copies, intake.subjects(bundle), as_of)
        # who comes in just now has been put in question by that
        await sql.execute(conn, "question_accounts", account_ids=sorted(held))
        await departure.leave_journeys(conn, gone, as_of)
        done = outbox.Cursor(seq=page[-1])
        await outbox.advance_cursor(conn, intake_of(job["id"]), done, len(page), as_of)
        applied = await sql.fetchval(conn, "intake_applied", stream=intake_of(job["id"]))
    return Intake(job["slug"], applied, size, len(page))


async def _begin(conn: Any, job: Any, platform: Any, as_of: datetime) -> int:
    """Evaluate the audience as a whole; returns how many accounts it has."""
    await sql.execute(conn, "allow_minutes")
    size = await evaluate_whole(platform, job["audience"], as_of)
    await sql.execute(conn, "note_job_size", id=job["id"], size=size)
    return size
