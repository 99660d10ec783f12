"""Journeys of a few lines, simulated on the tests' Postgres."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from caravan.journeys.workspace import Workspace, load_workspace
from caravan.simulation.lines import Line, read_line
from caravan.simulation.run import Asked
from caravan.simulation.told import Told, simulate
from tests.world import HEAD, MAIL

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Simulating:
    """A workspace folder, and a database for throw-away stores."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder = folder
        self.dsn = dsn

    def workspace(
        self, documents: str, mails: Sequence[str] = (), *, head: str = HEAD, **files: str
    ) -> Workspace:
        """A valid workspace; data files are given as text: ``accounts="account_id,name\\n…"``."""
        self._write("ws.yaml", head.format(munchkin="sim", sandbox="sim", scores="{}") + documents)
        for name in mails:
            self._write(f"emails/{name}.html", MAIL.format(name=name))
        for name, text in files.items():
            self._write(f"data/{name}.{'jsonl' if name == 'events' else 'csv'}", text)
        workspace = load_workspace(self.folder, AT)
        assert not workspace.errors, workspace.errors
        return workspace

    async def __call__(
        self, workspace: Workspace, journey: str = "trip", *lines: str, **asked: Any
    ) -> Told:
        read = [
            read_line(line, number, "events", workspace.catalog)
            for number, line in enumerate(lines, 1)
        ]
        return await self.told(workspace, journey, read, **asked)

    async def told(
        self, workspace: Workspace, journey: str, lines: Sequence[Line] = (), **asked: Any
    ) -> Told:
        asked = {"at": AT, "data": self.folder / "data", **asked}
        return await simulate(self.dsn, Asked(workspace, journey, lines=lines, **asked))

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def bodies(told: Told, **fits: Any) -> list[dict[str, Any]]:
    """The lines that have these values, without the keys that say so."""
    return [
        {key: value for key, value in line.body.items() if key not in fits}
        for line in told.lines
        if fits.items() <= line.body.items()
    ]


def path(told: Told, account: str, entry: int = 1) -> list[str]:
    """The nodes an entry came to, and how it left."""
    mine = [
        line.body
        for line in told.lines
        if (line.body["account"], line.body["entry"]) == (account, entry)
    ]
    return [
        f"{body['reason']}:{body['label']}" if "label" in body else body["reason"]
        if body["kind"] == "exit"
        else body["node"]
        for body in mine
        if body["kind"] != "enter"
    ]  # fmt: skip
