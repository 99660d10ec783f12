"""A gateway as `caravan gateway` starts it, in a process of its own."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.ground import Pair, reached
from caravan.stack.processes import answers, free_port, spawn, stop

#: of the links in mail that is sent for a measurement
KEY = "benchmark-" + "k" * 32


@asynccontextmanager
async def gateway(pair: Pair) -> AsyncIterator[int]:
    """The port it listens on; stopped at the end."""
    port = free_port(0)
    process = spawn(
        "bench-gateway",
        [sys.executable, "-m", "caravan.gateway"],
        pair.folder / "gateway.log",
        environment={
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "LINK_KEYS": KEY,
            "CARAVAN_HOME": os.environ["CARAVAN_HOME"],
        },
    )
    try:

        async def listens() -> bool:
            return answers(port)

        await reached("the gateway to listen", listens)
        yield port
    finally:
        stop(process)
