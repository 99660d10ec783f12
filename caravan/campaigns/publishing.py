"""Storing a workspace: what `apply` and a simulation put into the stores before a journey is published."""

from datetime import datetime
from typing import Any

from caravan.journeys.workspace import Workspace
from caravan.platform import audiences


async def store_documents(platform: Any, workspace: Workspace, at: datetime) -> None:
    """Store all that journeys refer to; what has not changed is left as it is."""
    async with platform.acquire() as conn, conn.transaction():
        for audience in workspace.audiences.values():
            await audiences.store(conn, audience, workspace.settings.zone, at)
