"""Whether anybody works: who polls our task queues, as Temporal has seen them."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from caravan.stack.processes import start_time
from workflows.contracts import CALLS, DECISIONS, EMAIL, JOURNEYS, STREAMS

#: what a worker with every role polls
QUEUES = (JOURNEYS, EMAIL, CALLS, DECISIONS, STREAMS)
#: a poll waits up to a minute for work: who has not asked for longer than that has gone
GONE = timedelta(seconds=75)


@dataclass(frozen=True)
class Polled:
    """A task queue, how many worker processes take from it, and when one last asked."""

    queue: str
    workers: int
    last_polled_at: datetime | None


async def polled(client: Client, queues: Sequence[str] = QUEUES) -> list[Polled]:
    """Who polls the queues; every role of a worker takes activities, so theirs are looked at."""
    return list(await asyncio.gather(*(_polled(client, queue) for queue in queues)))


async def _polled(client: Client, queue: str) -> Polled:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
    )
    asked = {
        poller.identity: poller.last_access_time.ToDatetime(tzinfo=UTC) for poller in answer.pollers
    }
    since = datetime.now(UTC) - GONE
    return Polled(
        queue,
        sum(at >= since and not _has_died_here(identity) for identity, at in asked.items()),
        max(asked.values(), default=None),
    )


def _has_died_here(identity: str) -> bool:
    """Whether a process of this machine is no more: Temporal learns of a kill -9 only in time."""
    pid, _, host = identity.partition("@")
    return host == socket.gethostname() and pid.isdecimal() and start_time(int(pid)) is None
