"""The activity that signals workflows whose traversal's row has changed."""

import asyncio
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities import counters
from activities.draining import drain
from activities.failures import told
from activities.nudges import Nudges
from activities.stream_log import StreamLog
from caravan.engage import sql, wakeups
from caravan.stores import Stores
from workflows.contracts import DISPATCH, DrainReply, DrainRequest, Wake

PAGE = 200


class EventDispatchActivities:
    def __init__(self, stores: Stores, client: Client, nudges: Nudges | None = None) -> None:
        self._stores = stores
        self._client = client
        self._nudges = nudges

    @activity.defn(name=DISPATCH)
    @told
    async def dispatch(self, request: DrainRequest) -> DrainReply:
        """Take wake-ups off their queue and signal; a row is dropped once its signal is sent."""
        pool = await self._stores.engage(request.munchkin)
        rows = await drain(
            lambda: self.page(pool),
            self._nudges,
            [(pool, wakeups.CHANNEL)],
            log=StreamLog(pool, "dispatch"),
        )
        return DrainReply(rows=rows)

    async def page(self, pool: Any) -> int:
        """Send one page; a wake-up that could not be sent stays, and does not hold up the others."""
        async with pool.acquire() as conn, conn.transaction():
            taken = await sql.fetch(conn, "take_wakeups", limit=PAGE)
            workflow_ids = sorted({row["workflow_id"] for row in taken})
            answers = await asyncio.gather(
                *(self._signal(workflow_id) for workflow_id in workflow_ids), return_exceptions=True
            )
            failed = {
                workflow_id: answer
                for workflow_id, answer in zip(workflow_ids, answers, strict=True)
                if answer is not None
            }
            sent = [row["id"] for row in taken if row["workflow_id"] not in failed]
            await sql.execute(conn, "drop_wakeups", ids=sent)
        counters.add(counters.WOKEN, len(sent))
        error = next(iter(failed.values()), None)
        if error is not None:
            raise error
        return len(taken)

    async def _signal(self, workflow_id: str) -> None:
        try:
            await self._client.get_workflow_handle(workflow_id).signal("wake", Wake(reason="heard"))
        except RPCError as error:
            # gone or not there yet: the row has its answer, and the reconciler looks after the rest
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
