"""The memory of one worker process, all roles, while 5,000 accounts wait for days.

A real ``worker.py`` brings all of them in, admits and starts them (at more starts a second than the
default setting allows), serves each up to its wait, and then is looked at.
"""

import asyncio
import os

from benchmarks import data
from benchmarks.figures import Figure, Target, significant
from benchmarks.ground import Ground, NotReached, Pair, reached
from benchmarks.processes import resident_megabytes
from starter.apply import apply_workspace

ACCOUNTS = 5_000
STARTS_PER_SECOND = 1_000
SETTLE = 3.0  # seconds: past the last reply, so that nothing is half-done when we look

_RESTING = """
select count(*) from traversals
where ended_at is null and started and state -> 'pending' ->> 'until' is not null
"""


async def measure(ground: Ground) -> list[Figure]:
    """Start, wait until all wait, look."""
    async with ground.pair("worker-rss", "patience") as pair:
        numbers = range(1, ACCOUNTS + 1)
        await pair.load(data.accounts_file(pair.folder, numbers))
        await pair.load(data.people_file(pair.folder, numbers, per_account=1))
        os.environ["STARTS_PER_SECOND"] = str(STARTS_PER_SECOND)
        process = ground.stack.start_worker([], name="rss-worker")
        most = 0.0

        async def all_rest() -> bool:
            nonlocal most
            most = max(most, resident_megabytes(process.pid))
            return await _resting(pair) == ACCOUNTS

        try:
            idle = await _idle(process.pid)
            await apply_workspace(
                pair.settings, pair.stores, pair.workspace, draft=False, data=False
            )
            try:
                await reached(f"{ACCOUNTS} accounts to wait", all_rest, every=0.5, patience=240)
            except NotReached as error:
                raise NotReached(f"{error}; {await _resting(pair)} do") from None
            await asyncio.sleep(SETTLE)
            waiting = resident_megabytes(process.pid)
        finally:
            ground.stack.stop(only="rss-worker")
            del os.environ["STARTS_PER_SECOND"]
    return [
        Figure(
            "worker_rss_mb",
            significant(waiting),
            Target("at most", 300),
            "MiB",
            {
                "idle": significant(idle),
                "most": significant(max(most, waiting)),
                "accounts": ACCOUNTS,
            },
        )
    ]


async def _resting(pair: Pair) -> int:
    return int(await pair.engage.fetchval(_RESTING))


async def _idle(pid: int) -> float:
    """Its memory once it has loaded everything and has nothing to do: when it no longer grows."""
    before = 0.0
    while (now := resident_megabytes(pid)) > before + 0.5 or now < 50:
        before = now
        await asyncio.sleep(0.5)
    return now
