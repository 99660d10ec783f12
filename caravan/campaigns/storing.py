"""Storing what a workspace says besides journeys: audiences, lists, buying groups, limits, campaigns. Doing it again changes
nothing that has not changed, and takes nothing back that journeys did."""

from datetime import datetime
from typing import Any

from caravan.buying_groups import storing as buying_groups
from caravan.campaigns import recording
from caravan.campaigns.plans import PlanCache
from caravan.database import outbox
from caravan.engage import campaigns, communication_limits, lists
from caravan.journeys.compiler import compile_campaign
from caravan.journeys.conditions.naming import ListOf
from caravan.journeys.workspace import Workspace
from caravan.platform import activity_stream, audiences, identity
from caravan.platform import sql as platform_sql


async def store(engage: Any, platform: Any, workspace: Workspace, at: datetime) -> None:
    """Store the documents of a valid workspace, before the journeys that name them are published.

    Args:
        engage: the subscription's pool.
        platform: the sandbox's pool.
        workspace: without errors.
        at: domain time.
    """
    async with platform.acquire() as conn, conn.transaction():
        await identity.store_rules(conn, list(workspace.identity_rules.values()))
    while await identity.match_page(platform, at) is not None:
        pass
    async with platform.acquire() as conn, conn.transaction():
        for audience in workspace.audiences.values():
            await audiences.store(conn, audience, workspace.settings.zone, at)
        await activity_stream.want(conn, workspace.settings.activities_to_platform)
    to_come: list[str] = []
    changed: dict[ListOf, set[int]] = {"accounts": set(), "people": set()}
    async with engage.acquire() as conn, conn.transaction():
        for document in workspace.lists.values():
            stored = await lists.store(conn, document, at)
            changed[document.of] |= stored.changed
            to_come += stored.absent if document.of == "accounts" else []
        await buying_groups.store(conn, workspace, at)
        await communication_limits.store(conn, workspace.communication_limits, at)
        for slug in sorted(workspace.campaigns):
            await campaigns.store(conn, compile_campaign(workspace, slug), at)
        await recording.look_at_exits_of(
            conn,
            PlanCache(),
            at,
            account_ids=changed["accounts"],
            person_ids=changed["people"],
        )
    if to_come:
        # journeys that take their accounts from a list are to have a look at those who are not here yet
        async with platform.acquire() as conn, conn.transaction():
            await platform_sql.execute(conn, "question_named", names=to_come, at=at)
            await outbox.nudge(conn)
