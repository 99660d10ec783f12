"""Starting the workflow of a traversal: idempotent, so any number of starters may race."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from workflows import web_ui
from workflows.account_journey import AccountJourneyWorkflow
from workflows.contracts import JOURNEYS, AccountJourneyInput

AT_ONCE = 25


@dataclass(frozen=True)
class StartOptions:
    """What an operator may set about starts."""

    per_second: float = 100.0
    account_names: bool = True
    each_step: bool = False
    continue_after: int | None = None


class JourneyStarts:
    """Starts workflows at a limited rate."""

    def __init__(self, client: Client, options: StartOptions) -> None:
        self._client = client
        self._options = options
        self._next_at = 0.0

    async def start(self, munchkin: str, rows: Sequence[Any]) -> list[int]:
        """Start one workflow per row of ``unstarted_traversals``; returns the ids that now run.

        Those that could not be started are left to the next try; when none could, that is an error.
        """
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(row: Any) -> int:
            async with slots:
                await self._turn()
                await self._start(munchkin, row)
            return int(row["id"])

        answers = await asyncio.gather(*(one(row) for row in rows), return_exceptions=True)
        started = [answer for answer in answers if isinstance(answer, int)]
        failed = [answer for answer in answers if isinstance(answer, BaseException)]
        if failed and not started:
            raise failed[0]
        return started

    async def _turn(self) -> None:
        """Space starts evenly; short bursts after idleness are allowed."""
        gap = 1 / self._options.per_second
        now = time.monotonic()
        self._next_at = max(self._next_at + gap, now - 10 * gap)
        if self._next_at > now:
            await asyncio.sleep(self._next_at - now)

    async def _start(self, munchkin: str, row: Any) -> None:
        account = (
            row["account_name"] if self._options.account_names else f"account {row['account_id']}"
        )
        title = f"{row['journey_name']} v{row['version']} · {account}"
        given = AccountJourneyInput(
            munchkin=munchkin,
            traversal_id=row["id"],
            plan_hash=row["plan_hash"],
            title=title,
            entered_at=row["entered_at"],
            each_step=self._options.each_step,
            mail_first=row["mail_first"],
            continue_after=self._options.continue_after,
        )
        try:
            await self._client.start_workflow(
                AccountJourneyWorkflow.run,
                given,
                id=row["workflow_id"],
                task_queue=JOURNEYS,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                # a worker of this process, where it has room, begins without being dispatched to
                request_eager_start=True,
                static_summary=web_ui.summary(title),
                static_details=web_ui.static_details(row["id"], row["entry"]),
                priority=Priority(fairness_key=row["slug"][:60]),
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(web_ui.JOURNEY, row["slug"]),
                        SearchAttributePair(web_ui.VERSION, row["version"]),
                        SearchAttributePair(web_ui.ACCOUNT, str(row["account_id"])),
                    ]
                ),
            )
        except WorkflowAlreadyStartedError:
            # another starter was first
            return
