"""Heartbeats while something slow is awaited: a killed worker is noticed, a slow relay is not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from temporalio import activity

EVERY = 2.5  # seconds; a quarter of the time-out


@asynccontextmanager
async def beating(said: Callable[[], str] | None = None) -> AsyncIterator[None]:
    """Beat until the block ends; ``said`` tells how far it is, for who looks at the activity."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(EVERY)
            activity.heartbeat(*([said()] if said else []))

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
