"""Where the CLI simulates: a Postgres of its own under .caravan/simulation, stopped when it is done."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from caravan.settings import read_environment
from caravan.simulation.throw_away import drop_left_behind
from caravan.stack.scratch import scratch_server

FOLDER = "simulation"


@contextmanager
def scratch_dsn() -> Iterator[str]:
    """A database for throw-away stores; no running stack, no Temporal and no setting is touched."""
    with scratch_server(read_environment().caravan_home / FOLDER) as scratch:
        if scratch.alone:
            asyncio.run(drop_left_behind(scratch.dsn))
        yield scratch.dsn
