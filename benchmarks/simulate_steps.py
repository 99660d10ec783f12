"""How fast virtual time goes: 2,000 accounts walk R1, thirty days, by `caravan simulate`'s own code.

Measured is the whole of it on a server that runs and has simulated before: making the stores, importing 10,000 people,
walking (with five mails composed for each account), reading the trace and dropping the stores.
"""

import time
from dataclasses import replace
from datetime import UTC, datetime

from benchmarks import data
from benchmarks.figures import Figure, Target, significant
from benchmarks.ground import WORKSPACE, Ground
from caravan.journeys.workspace import load_workspace
from caravan.simulation.run import Asked
from caravan.simulation.told import simulate
from caravan.stack.scratch import scratch_server

ACCOUNTS = 2_000
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


async def measure(ground: Ground) -> list[Figure]:
    """Steps a second, counted as the stored steps of all traversals."""
    folder = ground.folder / "simulate"
    numbers = range(1, ACCOUNTS + 1)
    data.accounts_file(folder, numbers)
    data.people_file(folder, numbers)
    asked = Asked(load_workspace(WORKSPACE, AT), "r1", AT, data=folder)
    with scratch_server(ground.folder / "scratch") as scratch:
        await simulate(
            scratch.dsn, replace(asked, data=None)
        )  # the first has stores made, which others copy
        began = time.perf_counter()
        told = await simulate(scratch.dsn, asked)
        took = time.perf_counter() - began
    return [
        Figure(
            "simulate_steps_per_s",
            significant(told.ran.steps / took),
            Target("at least", 1000),
            "steps/s",
            {
                "accounts": told.summary["entries"],
                "steps": told.ran.steps,
                "lines": len(told.lines),
                "seconds": significant(took),
            },
        )
    ]
