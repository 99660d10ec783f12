"""R1 against a bare workflow with one timer: what is left of Temporal's own throughput.

R1 (``workspace/workspace.yaml``): five people; a mail to all of them, through an in-process transport
that accepts everything; a split of accounts with two conditions; ``update_account``; a wait of one
second; a split of people with two paths; the end. The floor: one timer of one second, no activity.

Both run on the same server in the same process, started by the same number of concurrent calls, in
alternating rounds. A round's time is from the first start to the last close, by the server's clock
in each workflow's own record; the figure is the ratio of the rates over all rounds. A round of each
warms up and does not count. Admission is over before a round begins.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.connection import connect
from activities.journey_starts import AT_ONCE, JourneyStarts, StartOptions
from activities.roles import build_workers
from benchmarks import data
from benchmarks.figures import Figure, Target, significant
from benchmarks.ground import Ground, Pair, reached
from caravan.campaigns import admission, audience_flow
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.delivery.capture import CaptureTransport
from caravan.engage import journeys, sql
from caravan.journeys.compiler import compile_journey
from caravan.platform import audiences
from workflows.contracts import EMAIL, JOURNEYS

ROUNDS = 3
PER_ROUND = 250
WARM_UP = 25
FLOOR_QUEUE = "floor"


@workflow.defn(name="Floor")
class FloorWorkflow:
    """The least that waits a second."""

    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(seconds=1))


@dataclass(frozen=True)
class Round:
    """So many workflows, from the first start to the last close."""

    workflows: int
    seconds: float
    events: tuple[int, ...]


async def measure(ground: Ground) -> list[Figure]:
    """The two figures of R1."""
    async with ground.pair("journey-to-floor", "r1") as pair, AsyncExitStack() as running:
        client = await connect(pair.settings)
        transport = CaptureTransport(keep=False)
        floor_worker = Worker(
            client,
            task_queue=FLOOR_QUEUE,
            workflows=[FloorWorkflow],
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_cached_workflows=1000,
        )
        workers = build_workers(
            client,
            pair.stores,
            Mailing(transport),
            (JOURNEYS, EMAIL),
            graceful=timedelta(seconds=1),
        )
        for worker in (*workers, floor_worker):
            await running.enter_async_context(worker)
        journey_id = await admitted(pair, WARM_UP + ROUNDS * PER_ROUND)

        async def r1(count: int) -> Round:
            return await play(client, "AccountJourney", count, _r1_starts(client, pair, journey_id))

        async def floor(count: int) -> Round:
            return await play(client, "Floor", count, _floor_starts(client))

        await r1(WARM_UP)
        await floor(WARM_UP)
        mailed = transport.accepted
        r1_rounds, floor_rounds = [], []
        for _ in range(ROUNDS):
            r1_rounds.append(await r1(PER_ROUND))
            floor_rounds.append(await floor(PER_ROUND))
        mailed = transport.accepted - mailed
        await _all_completed(pair, journey_id)
    if mailed != ROUNDS * PER_ROUND * data.PEOPLE_PER_ACCOUNT:
        raise AssertionError(f"R1 sent {mailed} mails")
    return [
        Figure(
            "journey_to_floor",
            significant(rate(r1_rounds) / rate(floor_rounds)),
            Target("at least", 0.5),
            "of a bare workflow's rate",
            {
                "accounts_per_second": significant(rate(r1_rounds)),
                "floor_per_second": significant(rate(floor_rounds)),
                "rounds": [significant(rate([one])) for one in r1_rounds],
                "floor_rounds": [significant(rate([one])) for one in floor_rounds],
                "accounts": ROUNDS * PER_ROUND,
            },
        ),
        Figure(
            "events_per_account",
            significant(fmean(n for one in r1_rounds for n in one.events)),
            Target("at most", 26),
            "events of history",
            {"most": max(n for one in r1_rounds for n in one.events)},
        ),
    ]


async def admitted(
    pair: Pair, accounts: int, slug: str = "r1", people: int = data.PEOPLE_PER_ACCOUNT
) -> int:
    """Publish a journey and admit so many accounts to it, none of them started; returns the journey's id."""
    numbers = range(1, accounts + 1)
    await pair.load(data.accounts_file(pair.folder, numbers))
    await pair.load(data.people_file(pair.folder, numbers, people))
    now = datetime.now(UTC)
    async with pair.platform.acquire() as conn, conn.transaction():
        for audience in pair.workspace.audiences.values():
            await audiences.store(conn, audience, pair.workspace.settings.zone, now)
    stored = await journeys.publish(pair.engage, compile_journey(pair.workspace, slug), now)
    journey_id, plans = stored.journey_id, PlanCache()
    await audience_flow.build_segment(pair.engage, pair.platform, journey_id, now)
    while await audience_flow.bring_in_page(pair.engage, pair.platform, plans, journey_id, now):
        pass
    journey = await sql.fetchrow(pair.engage, "journey_by_id", id=journey_id)
    while await admission.admit_page(pair.engage, pair.platform, pair.munchkin, journey, now):
        pass
    return journey_id


async def play(
    client: Client, kind: str, count: int, start: Callable[[int], Awaitable[None]]
) -> Round:
    """Start ``count`` workflows and wait until the last has closed."""
    since = datetime.now(UTC) - timedelta(milliseconds=1)
    closed = f"WorkflowType = '{kind}' and ExecutionStatus = 'Completed' and StartTime >= '{since:%FT%T.%fZ}'"

    async def all_closed() -> bool:
        return (await client.count_workflows(closed)).count >= count

    await start(count)
    # seldom: looking costs the server, and the times are read from the records
    await reached(f"{count} workflows {kind} to close", all_closed, every=0.25)
    records = [record async for record in client.list_workflows(closed)]
    first = min(record.start_time for record in records)
    last = max(record.close_time for record in records if record.close_time is not None)
    return Round(
        len(records),
        (last - first).total_seconds(),
        tuple(record.history_length for record in records),
    )


def rate(rounds: list[Round]) -> float:
    """Workflows a second over all rounds."""
    return sum(one.workflows for one in rounds) / sum(one.seconds for one in rounds)


def _r1_starts(client: Client, pair: Pair, journey_id: int) -> Callable[[int], Awaitable[None]]:
    """As admission starts them, without its limit of starts a second."""
    starts = JourneyStarts(client, StartOptions(per_second=100_000))

    async def start(count: int) -> None:
        rows = await sql.fetch(
            pair.engage, "unstarted_traversals", journey_id=journey_id, limit=count
        )
        started = await starts.start(pair.munchkin, rows)
        await sql.execute(pair.engage, "mark_started", traversal_ids=started, at=datetime.now(UTC))

    return start


def _floor_starts(client: Client) -> Callable[[int], Awaitable[None]]:
    slots = asyncio.Semaphore(AT_ONCE)
    numbers = iter(range(10**9))

    async def one() -> None:
        async with slots:
            await client.start_workflow(
                FloorWorkflow.run,
                id=f"floor/{next(numbers)}",
                task_queue=FLOOR_QUEUE,
                request_eager_start=True,
            )

    async def start(count: int) -> None:
        await asyncio.gather(*(one() for _ in range(count)))

    return start


async def _all_completed(pair: Pair, journey_id: int) -> None:
    """A fast round of accounts that failed would be worth nothing."""
    others = [
        (row["reason"], row["label"])
        for row in await sql.fetch(pair.engage, "exit_counts", journey_ids=[journey_id])
    ]
    if others != [("completed", "done")]:
        raise AssertionError(f"R1 accounts ended otherwise: {others}")
