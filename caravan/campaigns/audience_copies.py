"""Copies of audiences: who is in those that conditions of the engage store name.

The Platform decides who is in an audience. What a journey or a list asks of one is answered from a copy
of its members here, of those the store holds. A copy begins when the first condition names the audience,
follows the Platform's outbox like everything else, and is forgotten when no condition names it any more.
Whoever calls this holds the cursor of that stream, so nothing passes a copy by while it begins.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from caravan.campaigns import recording
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql
from caravan.platform import sql as platform_sql
from caravan.platform.whole_evaluation import evaluate_whole

PAGE = 5000


async def begin(conn: Any, platform: Any, as_of: datetime) -> dict[str, str]:
    """Copy the audiences that are named and not here yet; returns all copies and whom they are of."""
    copies: dict[str, str] = {}
    rows = await sql.fetch(conn, "audiences_in_use")
    for row in rows:
        audience, of = row["audience"], row["of"]
        if of is None:
            of = await platform_sql.fetchval(platform, "audience_of", slug=audience)
            if of is None:
                continue  # named by what was published before it was stored: asked for again
            await _copy(conn, platform, audience, of, as_of)
        copies[audience] = of
    return copies


async def renew(
    conn: Any,
    plans: PlanCache,
    platform: Any,
    copies: Mapping[str, str],
    subject_ids: Iterable[int],
    as_of: datetime,
) -> None:
    """Take over what the Platform says now of some accounts and people.

    Args:
        conn: of the engage store, in a transaction.
        plans: for exits that a membership has met.
        platform: the sandbox's pool.
        copies: the audiences, from ``begin``.
        subject_ids: the accounts and people.
        as_of: domain time.
    """
    await sql.execute(conn, "forget_audiences", used=list(copies))
    looked_at = sorted(set(subject_ids))
    if not copies or not looked_at:
        return
    rows = await platform_sql.fetch(
        platform, "members_among", audiences=list(copies), subject_ids=looked_at
    )
    changed = await sql.fetch(
        conn,
        "renew_members",
        audiences=[row["audience"] for row in rows],
        subject_ids=[row["subject_id"] for row in rows],
        looked_at=looked_at,
    )
    await recording.look_at_exits_of(
        conn,
        plans,
        as_of,
        account_ids=[row["subject_id"] for row in changed if row["is_account"]],
        person_ids=[row["subject_id"] for row in changed if not row["is_account"]],
    )


async def _copy(conn: Any, platform: Any, audience: str, of: str, as_of: datetime) -> None:
    await sql.execute(conn, "allow_minutes")
    await evaluate_whole(platform, audience, as_of)
    await sql.execute(conn, "begin_copy", audience=audience, of=of)
    page: Sequence[int] = [0]
    while page:
        rows = await platform_sql.fetch(
            platform, "member_page", audience=audience, after=page[-1], limit=PAGE
        )
        page = [row["subject_id"] for row in rows]
        await sql.execute(conn, "copy_members", audience=audience, of=of, subject_ids=list(page))
