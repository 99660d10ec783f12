"""Terminating workflows whose traversals the store has closed: many at once, each any number of times."""

import asyncio
from collections.abc import Iterable

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

AT_ONCE = 50


async def terminate(client: Client, workflow_ids: Iterable[str], reason: str) -> None:
    """Terminate the workflows; those that are gone already are left as they are."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(workflow_id: str) -> None:
        async with slots:
            try:
                await client.get_workflow_handle(workflow_id).terminate(reason=reason)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

    async with asyncio.TaskGroup() as group:
        for workflow_id in workflow_ids:
            group.create_task(one(workflow_id))
