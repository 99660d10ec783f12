"""Commands run in the tests' own process: each process of their own costs a second of imports alone."""

import asyncio
import io
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess
from typing import Any
from unittest.mock import patch

from starter.main import main
from tests.world import World

#: as a process of its own would have ended
Ended = CompletedProcess[str]


def caravan(*arguments: str, **environment: str) -> Ended:
    """Run a command with these settings; its exit code and what it said.

    In a thread, where it may have a loop of its own whatever runs in ours.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment),
        patch.object(sys, "argv", ["caravan", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
        ThreadPoolExecutor(1) as thread,
    ):
        code = thread.submit(_run).result(timeout=150)
    return CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def _run() -> int:
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


class Cli:
    """Runs commands on a world's stores."""

    def __init__(self, world: World, **environment: str) -> None:
        self.environment = {
            "PLATFORM_DSN": world.stores.platform_dsn,
            "ENGAGE_DSN": world.stores.engage_dsn,
            "TEMPORAL_ADDRESS": "127.0.0.1:1",
            "SMTP_URL": "smtp://127.0.0.1:1",
            "CARAVAN_SUBSCRIPTION": world.munchkin,
            **environment,
        }

    async def run(self, *arguments: str) -> Ended:
        return await asyncio.to_thread(caravan, *arguments, **self.environment)

    async def say(self, *arguments: str) -> str:
        said = await self.run(*arguments)
        assert said.returncode == 0, said.stderr
        return said.stdout

    async def json(self, *arguments: str) -> Any:
        return json.loads(await self.say(*arguments, "--format", "json"))

    async def refuse(self, code: int, *arguments: str) -> str:
        """One sentence on stderr, and the code."""
        said = await self.run(*arguments)
        assert said.returncode == code, said.stdout
        assert "Traceback" not in said.stderr
        assert said.stderr.startswith("caravan: ")
        return said.stderr
