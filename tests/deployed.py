"""Caravan as a user has it: the embedded stack, the command line, and worker processes to kill."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import asyncpg

from caravan.engage.subscriptions import schema_of
from caravan.stack.processes import wait_for
from caravan.stack.stack import Stack
from tests.commands import caravan
from tests.world import MAIL

#: what is killed here is processes; a machine that loses power is not, so nothing waits for a disk
WITHOUT_SYNC = {"fsync": "off", "full_page_writes": "off"}


class Deployed:
    """A stack under ``top`` and one workspace, whose data is given as text."""

    def __init__(self, top: Path, munchkin: str, workspace: str) -> None:
        self.munchkin = munchkin
        self.folder = top / "ws"
        self.write("ws.yaml", workspace)
        self.write("emails/hi.html", MAIL.format(name="hi"))
        self.stack = Stack(top / "home", postgres_settings=WITHOUT_SYNC)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def cli(self, *arguments: str) -> str:
        ended = caravan(*arguments, CARAVAN_HOME=str(self.stack.home))
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.cli(*arguments, "--format", "json"))

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.stack.notes["processes"][name]["pid"], number)

    def kill(self, name: str) -> None:
        self.signal(name, signal.SIGKILL)
        assert wait_for(lambda: not self.stack.runs(name), 10)

    async def connect(self) -> Any:
        conn = await asyncpg.connect(self.stack.notes["engage_dsn"])
        await conn.execute(f'set search_path = "{schema_of(self.munchkin)}"')
        return conn

    async def rows(self, query: str) -> list[Any]:
        conn = await self.connect()
        try:
            return list(await conn.fetch(query))
        finally:
            await conn.close()

    async def count(self, query: str) -> int:
        return int((await self.rows(query))[0][0])

    async def until(self, query: str, least: int, patience: float = 60) -> None:
        """Wait for a count, across the deaths of what is counted in."""
        for _ in range(int(patience * 5)):
            try:
                if await self.count(query) >= least:
                    return
            except (OSError, asyncpg.PostgresError):
                pass
            await asyncio.sleep(0.2)
        raise AssertionError(f"{query} stayed below {least}")
