"""A world whose accounts travel as workflows on the real server."""

import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities.journey_starts import JourneyStarts, StartOptions
from caravan.engage import sql
from tests.world import World
from workflows import AccountJourneyWorkflow


class Running:
    """Starts traversals and looks at their workflows."""

    def __init__(self, world: World, temporal: WorkflowEnvironment) -> None:
        self.world = world
        self.temporal = temporal
        self.client = temporal.client

    async def start(self, journey_id: int, **options: Any) -> list[WorkflowHandle[Any, Any]]:
        """Start every traversal of a journey that has no workflow yet."""
        rows = await sql.fetch(
            self.world.engage, "unstarted_traversals", journey_id=journey_id, limit=1000
        )
        starts = JourneyStarts(self.client, StartOptions(**options))
        started = await starts.start(self.world.munchkin, rows)
        await sql.execute(
            self.world.engage, "mark_started", traversal_ids=started, at=datetime.now(UTC)
        )
        return [
            self.client.get_workflow_handle_for(AccountJourneyWorkflow.run, row["workflow_id"])
            for row in rows
        ]

    async def until(self, true: str, patience: float = 60) -> None:
        """Wait until a query of the engage store answers true."""
        since = time.monotonic()
        while not await self.world.engage.fetchval(true):
            assert time.monotonic() - since < patience, f"never: {true}"
            await asyncio.sleep(0.05)

    async def record(self, name: str, handle: WorkflowHandle[Any, Any]) -> None:
        """Keep a history for tests/replay, when CARAVAN_RECORD is set; one that is there stays."""
        file = Path(__file__).parent / "replay" / "histories" / f"{name}.json"
        if os.environ.get("CARAVAN_RECORD") and not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_text((await handle.fetch_history()).to_json(), encoding="utf-8")
