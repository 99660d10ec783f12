"""The world outside of a journey: the data it begins with, and what happens to it on the way."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

from caravan.campaigns import callbacks, storing
from caravan.journeys.plan import Plan
from caravan.journeys.problems import Problem
from caravan.journeys.workspace import Workspace
from caravan.personas.embedding import Embedder, TitlesUnread
from caravan.platform import personas
from caravan.platform.event_lines import EventRow, EventSource
from caravan.platform.import_report import FileReport
from caravan.platform.imports import FILES, Importer
from caravan.platform.known import known
from caravan.platform.record_changes import RecordChange, apply_change
from caravan.simulation import decisions, sql
from caravan.simulation.lines import Answer, Line, bad, names_of
from caravan.simulation.throw_away import Pair

EVENTS = "events.jsonl"
#: which kind of node waits for an answer of a type
ASKS = {"call_answer": "call", "decision": "decide"}


class Outside:
    """Brings data and lines into the Platform store, as an import does."""

    def __init__(self, pair: Pair, workspace: Workspace, embedder: Embedder) -> None:
        self._pair = pair
        self._workspace = workspace
        self._embedder = embedder
        #: why the personas could not be stored: then nobody has one
        self.titles_unread: str | None = None

    async def load(
        self, directory: Path | None, at: datetime
    ) -> tuple[list[FileReport], list[Line]]:
        """Load a folder of data; events that are still to come are given back, to happen when they do."""
        await self._store_personas(at)
        if directory is None or not directory.is_dir():
            return [], []
        importer = self._importer(at)
        reports = [
            await importer.file(directory / name)
            for name in FILES
            if name != EVENTS and (directory / name).exists()
        ]
        to_come: list[Line] = []
        if (directory / EVENTS).exists():
            source = EventSource(directory / EVENTS)
            report = FileReport(EVENTS, bad=source.problems)
            past = []
            for event in source.rows():
                if event.at <= at:
                    past.append(event)
                else:
                    to_come.append(Line(event.at, event, EVENTS, event.line))
            await importer.record_events(past, report)
            reports.append(report)
        return reports, to_come

    async def _store_personas(self, at: datetime) -> None:
        """Ahead of the data, so that each person has a persona from the first; where nothing can be read, nobody has."""
        documents = list(self._workspace.personas.values())
        try:
            await personas.store(self._pair.platform, documents, self._embedder, at)
        except TitlesUnread as error:
            self.titles_unread = str(error)

    async def store_documents(self, at: datetime) -> None:
        await storing.store(self._pair.engage, self._pair.platform, self._workspace, at)

    async def impossible(self, lines: Sequence[Line], plan: Plan) -> list[Problem]:
        """Lines that cannot happen: of whom or what they speak nobody knows."""
        return await self._unknown(lines) + [
            bad(line.file, line.number, why)
            for line in lines
            if isinstance(line.what, Answer) and (why := _unfit(plan, line.what)) is not None
        ]

    async def _unknown(self, lines: Iterable[Line]) -> list[Problem]:
        """Lines that speak of accounts or people nobody has, nor a change before them makes."""
        made: dict[str, set[str]] = {"account": set(), "person": set()}
        wanted: dict[str, set[str]] = {"account": set(), "person": set()}
        asked: list[tuple[Line, str, str]] = []
        for line in lines:
            for kind, name in names_of(line):
                if name not in made[kind]:
                    wanted[kind].add(name)
                    asked.append((line, kind, name))
            if isinstance(line.what, RecordChange) and line.what.entity in made:
                made[line.what.entity].add(line.what.id)
        there = {
            "account": await known(self._pair.platform, "accounts", wanted["account"]),
            "person": await known(self._pair.platform, "people", wanted["person"]),
        }
        return [
            bad(line.file, line.number, f"no {kind} {name}")
            for line, kind, name in asked
            if name not in there[kind]
        ]

    async def happen(self, lines: Sequence[Line], at: datetime) -> None:
        """What lines say comes about at an instant, in their order."""
        for kind, group in groupby(lines, key=lambda line: type(line.what)):
            if kind is EventRow:
                await self._record(
                    [line.what for line in group if isinstance(line.what, EventRow)], at
                )
                continue
            for line in group:
                if isinstance(line.what, Answer):
                    await self._answer(line.what, at)
                    continue
                assert isinstance(line.what, RecordChange)
                async with self._pair.platform.acquire() as conn, conn.transaction():
                    await apply_change(conn, line.what, at)

    async def _answer(self, answer: Answer, at: datetime) -> None:
        """What a service says; where nobody waits for it, nothing. A decision is taken by who arrives (``decisions``)."""
        if answer.type == decisions.DECISION:
            return
        async with self._pair.engage.acquire() as conn, conn.transaction():
            account_id = await sql.fetchval(conn, "account_named", external_id=answer.account)
            if account_id is not None:
                await callbacks.answer_for(
                    conn,
                    account_id=account_id,
                    node=answer.node,
                    accessors=answer.accessors,
                    at=at,
                )

    async def _record(self, events: list[EventRow], at: datetime) -> None:
        # who is unknown was looked for before
        await self._importer(at).record_events(events, FileReport(EVENTS))

    def _importer(self, at: datetime) -> Importer:
        return Importer(
            self._pair.platform,
            self._workspace.catalog,
            at,
            lambda *_: None,
            embedder=self._embedder,
        )


def _unfit(plan: Plan, answer: Answer) -> str | None:
    """Why an answer cannot be taken: the node is not of the kind that asks for it, or has no such path."""
    node = plan.nodes.get(answer.node)
    if node is None or node.kind.partition("_")[0] != ASKS[answer.type]:
        return f"{answer.node} is no node that waits for an answer"
    return decisions.unfit(plan, answer)
