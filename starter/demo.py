"""``caravan demo``: the example workspace, for real, from an empty folder to a table of results."""

import asyncio
import json
import os
import signal
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table

from caravan.engage import sql
from caravan.engage.plans import load_plan
from caravan.journeys.durations import parse_duration
from caravan.journeys.reasons import ExitReason
from caravan.journeys.time import shift
from caravan.journeys.workspace import Workspace
from caravan.platform import sync
from caravan.platform.event_lines import read_event
from caravan.platform.events import record_events
from caravan.platform.source_files import BadRow
from caravan.settings import Settings, read_environment
from caravan.stack.embedded import stay_embedded
from caravan.stack.mail_server import captured
from caravan.stack.processes import StackError, last_lines
from caravan.stack.stack import ROOT, Stack
from starter.apply import apply_workspace
from starter.errors import Failed
from starter.journey import node_rows
from starter.output import Format, cell, console, counted, plural, show
from starter.session import Session, open_stores, run
from starter.validate import read_workspace

JOURNEY = "grid-nurture"
WORKSPACE = ROOT / "examples" / "grid-analytics"
PATIENCE = 150.0  # seconds until every account must have completed


@dataclass
class Score:
    """What the demo came to."""

    accounts: int = 0
    completed: int = 0
    emails: int = 0
    synced: int = 0
    captured: int = 0
    to_sync: int = 0
    exits: Counter[str] = field(default_factory=Counter)
    mails: dict[str, int] = field(default_factory=dict)

    def shortcomings(self) -> list[str]:
        """What a demo that worked has, and this one lacks."""
        short = []
        if not self.accounts:
            short.append("no account entered")
        if self.completed < self.accounts:
            short.append(
                f"{self.accounts - self.completed} of {self.accounts} accounts did not complete"
            )
        if not self.emails:
            short.append("no mail was accepted")
        if self.captured < self.emails:
            short.append(f"{self.emails} mails were accepted, {self.captured} were captured")
        if not self.synced:
            short.append("nothing was synced back")
        if self.to_sync:
            short.append(f"{self.to_sync} changes still wait for the sync")
        unfinished = sum(
            self.mails.get(state, 0) for state in ("claimed", "handed_over", "in_doubt")
        )
        if unfinished:
            short.append(f"{unfinished} mails are unfinished")
        return short


def demo(
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Go on with the data of the last demo instead of a fresh start."
        ),
    ] = False,
) -> None:
    """Run the example for real: embedded stack, import, publish, live progress, events, results.

    On a terminal it stays up until Ctrl-C, so that you can look around; elsewhere (or with CI=true) it
    stops everything and exits 0, or 1 and says what fell short.
    """
    home = read_environment().caravan_home / "demo"
    for variable in stay_embedded(home):
        console.print(f"The demo runs on its own stack: {variable} is left out")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)  # so that the stack is stopped, as on Ctrl-C
    stack = Stack(home)
    stays = sys.stdout.isatty() and os.environ.get("CI") != "true"
    try:
        if not keep:
            stack.discard()
        stack.start(say=console.print)
        stack.start_worker([], say=console.print)
        score = run(_play(stack))
        _tell(score, stack)
        if stays:
            console.print(
                f"\nLook around: {stack.ui_address}, or CARAVAN_HOME={home} caravan journeys. Ctrl-C stops."
            )
            _until_interrupted()
    except StackError as error:
        raise Failed(str(error)) from None
    finally:
        stack.stop(say=console.print)
    short = score.shortcomings()
    if short:
        raise Failed("the demo fell short: " + "; ".join(short))
    print(
        f"demo: ok accounts={score.accounts} completed={score.completed} emails={score.emails} synced={score.synced}"
    )


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _until_interrupted() -> None:
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    console.print()


async def _play(stack: Stack) -> Score:
    workspace = read_workspace(WORKSPACE, datetime.now(UTC))
    async with open_stores() as (settings, stores):
        console.print(f"Applying {WORKSPACE.name}: import, validate, compile, publish")
        await _apply(settings, stores, workspace)
        session = Session(settings, stores, workspace.settings.pair.munchkin)
        published_at = datetime.now(UTC)
        events = asyncio.create_task(_play_events(session, workspace, published_at))
        try:
            await _watch(session, stack)
            played = await events
        finally:
            events.cancel()
        console.print(f"{played} events came in from outside while accounts moved")
        return await _score(session, stack)


async def _apply(settings: Settings, stores: Any, workspace: Workspace) -> None:
    rows = await apply_workspace(settings, stores, workspace, draft=False, data=True)
    for row in rows:
        console.print(
            f"  {row['journey']} v{row['version']} {row['change']}, {plural(row['campaigns'], 'campaign')}"
        )


async def _play_events(session: Session, workspace: Workspace, start: datetime) -> int:
    """Opens, clicks and forms, each at its time after publishing."""
    lines = (WORKSPACE / "demo-events.jsonl").read_text(encoding="utf-8").splitlines()
    platform = await session.platform()
    played = 0
    for number, line in enumerate(lines, start=1):
        event = json.loads(line)
        after = parse_duration(event.pop("after"))
        assert after is not None
        at = shift(start, after, "UTC")
        await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
        now = datetime.now(UTC)
        row = read_event(json.dumps(event | {"at": now.isoformat()}), number, "demo-events.jsonl")
        assert not isinstance(row, BadRow), row
        recorded = await record_events(platform, [row], now)
        played += len(recorded.new)
    return played


async def _watch(session: Session, stack: Stack) -> None:
    """Live counters per node until everybody has left."""
    pool = await session.engage()
    [journey] = await sql.fetch(pool, "journeys", slug=JOURNEY)
    plan = await load_plan(pool, journey["plan_hash"])
    until = datetime.now(UTC) + timedelta(seconds=PATIENCE)
    said = ""
    live = (
        Live(console=console, refresh_per_second=4, transient=False)
        if console.is_terminal
        else None
    )
    with live or _Quiet():
        while datetime.now(UTC) < until:
            if not stack.runs("worker"):
                log = stack.home / "logs" / "worker.log"
                raise Failed(f"the worker has died; {log} ends: {last_lines(log, 1)}")
            [now] = await sql.fetch(pool, "journeys", slug=JOURNEY)
            nodes = await node_rows(pool, [journey["id"]], plan)
            if live:
                live.update(_progress(nodes, now))
            else:
                line = f"  {now['entered']} entered, {now['inside']} inside, {now['completed']} completed"
                if line != said:
                    console.print(line)
                    said = line
            waiting = await sql.fetchrow(pool, "admission_counts", journey_id=journey["id"])
            if now["flow_at"] and now["entered"] and not now["inside"] and not waiting["queued"]:
                return
            await asyncio.sleep(0.5)


class _Quiet:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def _progress(nodes: list[dict[str, Any]], journey: Any) -> Table:
    table = Table(
        title=f"{journey['name']}: {journey['entered']} entered, {journey['inside']} inside, "
        f"{journey['completed']} completed",
        title_justify="left",
    )
    for column in ("node", "kind", "came", "here", "paths"):
        table.add_column(column, justify="right" if column in ("came", "here") else "left")
    for row in nodes:
        here = "■" * min(row["inside"], 20)
        paths = counted((row["paths"] or {}).items())
        table.add_row(
            cell(row["label"] or row["node"]),
            " ".join(filter(None, (row["kind"], row["of"]))),
            str(row["arrivals"]),
            f"{here} {row['inside'] or ''}",
            cell(paths),
        )
    return table


async def _score(session: Session, stack: Stack) -> Score:
    pool, platform = await session.engage(), await session.platform()
    score = Score()
    for _ in range(50):
        lag = await sync.lag(pool, platform, session.munchkin)
        if not lag.rows:
            break
        await asyncio.sleep(0.2)
    score.synced, score.to_sync = lag.applied, lag.rows
    [journey] = await sql.fetch(pool, "journeys", slug=JOURNEY)
    score.accounts = journey["entered"]
    for row in await sql.fetch(pool, "exit_counts", journey_ids=[journey["id"]]):
        score.exits[row["label"] or row["reason"]] += row["accounts"]
        if row["reason"] == ExitReason.COMPLETED:
            score.completed += row["accounts"]
    score.mails = {
        row["state"]: row["messages"]
        for row in await sql.fetch(pool, "message_counts", slug=JOURNEY)
    }
    score.emails = score.mails.get("accepted", 0)
    score.captured = len({one["message_id"] for one in captured(stack.mail_directory)})
    return score


def _tell(score: Score, stack: Stack) -> None:
    rows = [
        {"what": f"accounts that left with {label}", "number": n}
        for label, n in score.exits.most_common()
    ]
    rows += [
        {"what": f"mails {state.replace('_', ' ')}", "number": n}
        for state, n in sorted(score.mails.items())
    ]
    rows.append({"what": "rows synced back to the Platform", "number": score.synced})
    show(rows, Format.table, title="Results")
    console.print(f"Web UI: {stack.ui_address}")
