"""The activity that compares open traversals with their workflows and mends what differs.

A workflow ended by a person's hand (terminated, cancelled) closes its traversal with the reason
`removed`; one that is not there (never started, restored, lost) or has failed is started again and
resumes from the traversal's row. So nothing leaves an account blocked. What a hand did is seen within
seconds; the rest by a slow sweep, so that what fails again is not started in a circle.
It also removes what has grown old, pauses journeys whose messages fail, and notes that journeys begin and end: live at their start, closed at their end date, finished when
nobody is inside any more.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities import counters
from activities.draining import drain
from activities.failures import told
from activities.journey_starts import JourneyStarts
from activities.stream_starts import ensure_admission
from caravan.campaigns.delivery_queue import LONGEST_HAND_OVER
from caravan.campaigns.forgetting import forget_some
from caravan.engage import communication_limits, failing, journeys, life_cycle, sql
from caravan.journeys.reasons import ExitReason
from caravan.retention import Retention
from caravan.stores import Stores
from workflows.contracts import RECONCILE, DrainReply, DrainRequest

log = structlog.get_logger("caravan.reconciler")

PAGE = 100
#: how long a traversal that was seen well is left alone
TRUST = timedelta(minutes=10)
#: how far back the list of abnormal ends is read; overlaps are harmless
LOOK_BACK = timedelta(minutes=15)
PAUSE = 2.0  # seconds between two looks
FAILURES_EVERY = 5.0  # seconds between two looks at what has failed
FORGET_EVERY = 10.0  # seconds between two times that what has grown old is removed
FORGET_FOR = 3.0  # seconds that it may take of one look

BY_HAND = (WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.CANCELED)


class ReconcilerActivities:
    def __init__(
        self,
        stores: Stores,
        client: Client,
        starts: JourneyStarts,
        retention: Retention | None = None,
    ) -> None:
        """``retention``: how long what only looks back is kept; the defaults where it is not said."""
        self._retention = retention or Retention()
        self._stores = stores
        self._client = client
        self._starts = starts

    @activity.defn(name=RECONCILE)
    @told
    async def reconcile(self, request: DrainRequest) -> DrainReply:
        """Look for differences every few seconds; returns how many traversals were mended."""
        pool = await self._stores.engage(request.munchkin)
        platform = await self._stores.platform(request.munchkin)
        looked, forgot = -FAILURES_EVERY, time.monotonic()

        async def page() -> int:
            nonlocal looked, forgot
            mended = await self.ended_abnormally(pool, request.munchkin)
            mended += await self.not_seen_lately(pool)
            mended += await self.never_started(pool, request.munchkin)
            await self.never_settled(pool)
            await self.note_time(pool, request.munchkin)
            await self.finish_commands(pool)
            await communication_limits.forget_past(pool, datetime.now(UTC))
            if time.monotonic() - looked >= FAILURES_EVERY:
                looked = time.monotonic()
                await self.stop_failing(pool)
            if time.monotonic() - forgot >= FORGET_EVERY:
                forgot = time.monotonic()
                await forget_some(
                    pool, platform, request.munchkin, self._retention, datetime.now(UTC), FORGET_FOR
                )
            # a lot to mend is no reason to look without a pause
            await asyncio.sleep(PAUSE if mended else 0)
            return mended

        return DrainReply(rows=await drain(page, poll=PAUSE))

    async def note_time(self, pool: Any, munchkin: str) -> None:
        """Journeys whose start or end has come."""
        now = datetime.now(UTC)
        for journey in await journeys.note_starts(pool, now):
            # should this process die here, the keeper of streams sees to it
            await ensure_admission(self._client, munchkin, journey)
        await journeys.note_ends(pool, now)

    async def ended_abnormally(self, pool: Any, munchkin: str) -> int:
        """Traversals whose workflow was ended by hand, by the visibility store."""
        since = datetime.now(UTC) - LOOK_BACK
        ended: list[str] = []
        query = (
            'WorkflowType = "AccountJourney" and ExecutionStatus in ("Terminated", "Canceled")'
            f' and CloseTime > "{since.strftime("%Y-%m-%dT%H:%M:%SZ")}"'
            f' and (WorkflowId starts_with "journey/{munchkin}/"'
            f' or WorkflowId starts_with "campaign/{munchkin}/")'
        )
        async for execution in self._client.list_workflows(query):
            ended.append(execution.id)
        if not ended:
            return 0
        rows = await sql.fetch(pool, "traversals_by_workflow", workflow_ids=ended)
        return await self._mend(pool, [(row["id"], row["workflow_id"]) for row in rows])

    async def not_seen_lately(self, pool: Any) -> int:
        """A slow sweep over all open traversals, the longest unseen first."""
        now = datetime.now(UTC)
        rows = await sql.fetch(pool, "traversals_to_check", before=now - TRUST, limit=PAGE)
        mended = await self._mend(pool, [(row["id"], row["workflow_id"]) for row in rows])
        await sql.execute(pool, "mark_checked", traversal_ids=[row["id"] for row in rows], at=now)
        return mended

    async def never_started(self, pool: Any, munchkin: str) -> int:
        """Start what no admission will: traversals of journeys that take no more entries."""
        now = datetime.now(UTC)
        rows = await sql.fetch(pool, "orphaned_traversals", at=now, limit=PAGE)
        if not rows:
            return 0
        started = await self._starts.start(munchkin, rows)
        await sql.execute(pool, "mark_started", traversal_ids=started, at=now)
        counters.add(counters.MENDED, len(started), how="started")
        return len(started)

    async def never_settled(self, pool: Any) -> None:
        """Messages handed over for a traversal that has ended, by a worker that died: in doubt."""
        now = datetime.now(UTC)
        await sql.execute(pool, "doubt_forgotten", before=now - LONGEST_HAND_OVER, at=now)

    async def finish_commands(self, pool: Any) -> None:
        """What follows from a resume, an abort or a publish, where the command died before it was through."""
        await life_cycle.wake_held(pool)
        async for _ in life_cycle.take_out(pool, None, datetime.now(UTC)):
            pass  # their workflows are woken and end

    async def stop_failing(self, pool: Any) -> None:
        """Journeys whose messages fail."""
        for stopped in await failing.stop_failing(pool, datetime.now(UTC)):
            log.warning("journey paused: its messages fail", journey=stopped.slug, why=stopped.why)
            counters.add(counters.STOPPED, 1, journey=stopped.slug)

    async def _mend(self, pool: Any, traversals: list[tuple[int, str]]) -> int:
        closed: list[int] = []
        lost: list[int] = []
        for traversal_id, workflow_id in traversals:
            status = await self._status(workflow_id)
            if status in BY_HAND:
                closed.append(traversal_id)
            elif status is not WorkflowExecutionStatus.RUNNING:
                lost.append(traversal_id)
        if closed:
            await sql.fetch(
                pool,
                "close_traversals",
                traversal_ids=closed,
                reason=ExitReason.REMOVED,
                at=datetime.now(UTC),
            )
        if lost:
            await sql.execute(pool, "restart_traversals", traversal_ids=lost)
        if closed or lost:
            log.warning("workflows were gone", closed=len(closed), to_start_again=len(lost))
            counters.add(counters.MENDED, len(closed), how="closed")
        return len(closed) + len(lost)

    async def _status(self, workflow_id: str) -> WorkflowExecutionStatus | None:
        """How the latest run of a workflow stands; None where there is none."""
        try:
            description = await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        except ValueError:
            # the client knows no paused executions; paused is running
            return WorkflowExecutionStatus.RUNNING
        return description.status
