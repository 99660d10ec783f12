"""How every stream's activity drains: until its time is up or the worker stops, woken by NOTIFY.

Progress is committed page by page by the function it calls, so it can be killed anywhere, and two of
them may overlap. It beats while a page is moved too: a slow page is not a dead worker.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from temporalio import activity

from activities.beating import beating
from activities.nudges import Nudges
from activities.stream_log import StreamLog

#: how long one activity drains before it reports; a run adds six events to its workflow's history
BUDGET = 45.0
#: how long it waits for a nudge before it looks for itself
POLL = 0.5

Page = Callable[[], Awaitable[int]]


async def drain(
    page: Page,
    nudges: Nudges | None = None,
    channels: Sequence[tuple[Any, str]] = (),
    *,
    budget: float | None = None,
    poll: float = POLL,
    over: Callable[[], bool] = lambda: False,
    said: Callable[[], str] | None = None,
    log: StreamLog | None = None,
) -> int:
    """Call ``page`` until ``budget`` seconds have passed; it returns how many rows it moved.

    Args:
        page: moves one page and commits it.
        nudges: the process's listening connections.
        channels: (pool, channel) pairs whose NOTIFY means there may be more.
        budget: seconds, ``BUDGET`` where not said; a monotonic clock, not domain time.
        poll: seconds after which it looks for itself where nothing was moved.
        over: stops early when true.
        said: tells how far it is, with every heartbeat.
        log: where to note how it fares.
    """
    rows = 0
    until = time.monotonic() + (BUDGET if budget is None else budget)
    nudges = nudges or Nudges()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(beating(said))
        nudged = asyncio.Event()
        for pool, channel in channels:
            await stack.enter_async_context(nudges.set_by(pool, channel, nudged))
        while time.monotonic() < until and not activity.is_worker_shutdown() and not over():
            nudged.clear()
            moved = await (page() if log is None else log.page(page))
            rows += moved
            if moved == 0 and not over():
                await _pause(nudged, poll)
    return rows


async def _pause(nudged: asyncio.Event, poll: float) -> None:
    stopping = asyncio.ensure_future(activity.wait_for_worker_shutdown())
    waiting = asyncio.ensure_future(nudged.wait())
    try:
        await asyncio.wait({stopping, waiting}, timeout=poll, return_when="FIRST_COMPLETED")
    finally:
        stopping.cancel()
        waiting.cancel()
