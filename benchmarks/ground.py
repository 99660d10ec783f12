"""What sections stand on: an embedded stack in a temporary folder, and a pair of stores each.

The stack is the one `caravan up` starts, with its settings, so the figures speak of what users run.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from activities.connection import connect
from activities.stream_starts import stop_streams
from caravan.database.pool import Pool
from caravan.engage import subscriptions
from caravan.journeys.documents import SubscriptionNames
from caravan.journeys.workspace import Workspace, load_workspace
from caravan.logs import configure_logs
from caravan.platform import sandboxes
from caravan.platform.import_report import FileReport
from caravan.platform.imports import Importer
from caravan.settings import Settings
from caravan.stack.embedded import stay_embedded
from caravan.stack.stack import Stack
from caravan.stores import Stores

WORKSPACE = Path(__file__).parent / "workspace"


class NotReached(Exception):
    """Something a section waits for did not happen in time; the message says what."""


@dataclass(frozen=True)
class Pair:
    """A sandbox and a subscription of a section's own, and the workspace it publishes there."""

    settings: Settings
    stores: Stores
    workspace: Workspace
    engage: Pool
    platform: Pool
    folder: Path

    @property
    def munchkin(self) -> str:
        return self.workspace.settings.pair.munchkin

    async def load(self, file: Path) -> FileReport:
        """Import one data file."""
        importer = Importer(
            self.platform, self.workspace.catalog, datetime.now(UTC), lambda *_: None
        )
        report = await importer.file(file)
        if report.bad:
            raise ValueError(f"{file.name}: {report.bad[0].reason}")
        return report


class Ground:
    """The running stack; gives each section what it asks for."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder

    @asynccontextmanager
    async def pair(self, name: str, journey: str) -> AsyncIterator[Pair]:
        """An empty pair whose workspace has one journey, closed at the end: what a later section starts leaves it alone."""
        settings = Settings.load()
        workspace = load_workspace(WORKSPACE, datetime.now(UTC))
        workspace = replace(
            workspace,
            settings=workspace.settings.model_copy(
                update={"subscription": SubscriptionNames(munchkin=name, sandbox=name)}
            ),
            journeys={journey: workspace.journeys[journey]},
        )
        claimed = await sandboxes.claim(settings.platform_dsn, name, name)
        await sandboxes.make_ready(settings.platform_dsn, claimed.pair_id)
        await subscriptions.provision(settings.engage_dsn, name, name)
        stores = Stores(settings.platform_dsn, settings.engage_dsn, pool_size=settings.pool_size)
        try:
            yield Pair(
                settings,
                stores,
                workspace,
                await stores.engage(name),
                await stores.platform(name),
                self.folder / name,
            )
        finally:
            await stores.close()
            await sandboxes.make_unready(settings.platform_dsn, claimed.pair_id)
            if self.stack.runs("temporal"):
                await stop_streams(await connect(settings), name)


@contextmanager
def ground() -> Iterator[Ground]:
    """A stack of our own (nothing runs yet), stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="caravan-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root, Postgres runs as a user who must be able to enter it
        before = dict(os.environ)
        stay_embedded(folder / "home")  # figures of others' servers would say nothing of ours
        stack = Stack(folder / "home")
        try:
            with (folder / "log").open("w", encoding="utf-8") as log:
                # as a worker's: they cost what they cost, in a file
                with redirect_stderr(log):
                    configure_logs()
                yield Ground(stack, folder / "data")
        finally:
            stack.discard()
            os.environ.clear()
            os.environ.update(before)


async def reached(
    what: str,
    done: Callable[[], Awaitable[bool]],
    *,
    every: float = 0.1,
    patience: float = 120.0,
) -> None:
    """Look until ``done``.

    Raises:
        NotReached: the patience (seconds) ended first.
    """
    until = time.monotonic() + patience
    while not await done():
        if time.monotonic() > until:
            raise NotReached(f"{what}: not within {patience:.0f} s")
        await asyncio.sleep(every)
