"""Campaigns that may be requested: stored as what a request travels, requested once by a key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.engage import sql
from caravan.engage.plans import store_plan
from caravan.journeys.compiler import Compiled
from caravan.journeys.conditions.naming import audiences_anywhere
from caravan.journeys.nodes import segment_actions
from caravan.journeys.state import State


@dataclass(frozen=True)
class Request:
    """A request; ``new`` False: it was made before under the same key."""

    id: int
    traversal_id: int
    new: bool


async def store(conn: Any, compiled: Compiled, at: datetime) -> bool:
    """Store a campaign; what was requested of its earlier text goes on as it was.

    Args:
        conn: of the engage store, in a transaction.
        compiled: from ``compile_campaign``.
        at: domain time.

    Returns:
        Whether it is new or says something else than before.
    """
    plan = compiled.plan
    await sql.execute(conn, "one_publisher", slug=plan.journey)
    latest = await sql.fetchrow(conn, "latest_travelled", slug=plan.journey)
    if latest is not None and latest["plan_hash"] == plan.hash:
        return False
    await store_plan(conn, plan)
    version = latest["version"] + 1 if latest is not None else 1
    await sql.execute(conn, "close_earlier_versions", slug=plan.journey, version=version)
    travels = await sql.fetchval(
        conn,
        "insert_travelled",
        slug=plan.journey,
        version=version,
        name=plan.name,
        plan_hash=plan.hash,
        at=at,
    )
    audiences = sorted(audiences_anywhere(plan))
    await sql.execute(conn, "name_audiences", journey_id=travels, audiences=audiences)
    actions = [
        action.kind
        for segment in segment_actions(plan.nodes[plan.start])
        for _, _, action in segment
    ]
    await sql.execute(
        conn, "store_campaign", name=plan.name, travels=travels, body={"actions": actions}
    )
    return True


async def request(
    conn: Any,
    campaign: Any,
    account_id: int,
    person_ids: Sequence[int],
    key: str,
    at: datetime,
) -> Request:
    """Request a campaign for people of an account; the same key is the same request.

    Args:
        conn: of the engage store, in a transaction.
        campaign: a row of ``requestable_campaign``.
        account_id: whose people they are.
        person_ids: for whom; fixed from now on.
        key: who asks, and for which of their effects.
        at: domain time.
    """
    row = await sql.fetchrow(
        conn,
        "request_campaign",
        key=key,
        campaign=campaign["name"],
        travels=campaign["travels"],
        account_id=account_id,
        person_ids=list(person_ids),
        state=State().model_dump(mode="json", exclude_none=True),
        at=at,
    )
    new = row is not None
    row = row or await sql.fetchrow(conn, "request_by_key", key=key)
    return Request(row["request_id"], row["traversal_id"], new)
