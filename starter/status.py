"""``caravan status``: what runs, where, and how far the streams are behind."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from caravan.campaigns import buying_group_jobs
from caravan.engage import sql
from caravan.platform import sync
from caravan.platform.sandboxes import pairings
from caravan.settings import Settings, read_environment
from caravan.stack.stack import Stack
from caravan.stores import Stores
from starter.errors import Failed, is_embedded, sentence
from starter.output import Format, FormatOption, as_json, console, plainly, show
from starter.session import open_stores, run
from starter.workers import nobody_works, who_works

NONE_YET = "no subscriptions; `caravan apply DIR` creates one"


def status(form: FormatOption = Format.table) -> None:
    """Show the stack's parts, the workers on each queue and, per subscription, accounts and the sync's lag.

    Says so where no worker takes work. Exits 1 where the stores or Temporal cannot be asked.
    """
    stack = Stack(read_environment().caravan_home)
    parts = [
        {"part": part.part, "running": part.running, "pid": part.pid, "address": part.address}
        for part in stack.status()
    ]
    streams, problem = run(_streams())
    queues, advice, unasked = run(_workers())
    problem = problem or unasked
    if form is Format.json:
        told = {"parts": parts, "queues": queues, "subscriptions": streams}
        print(as_json(told | {"advice": advice, "problem": problem}))
    else:
        show(parts, form, title="Stack")
        console.print()
        if queues:
            show(queues, form, title="Workers")
            console.print()
        if streams or problem is None:
            show(streams, form, title="Subscriptions", empty=NONE_YET)
        if advice is not None:
            plainly(f"\n{advice}")
    if problem is not None:
        raise Failed(problem)


async def _workers() -> tuple[list[dict[str, Any]], str | None, str | None]:
    """Who takes from each queue, what to do where nobody does, and why they could not be asked."""
    try:
        settings = Settings.load()
        queues = await who_works(settings)
    except Exception as error:
        return [], None, _told(error)
    return [asdict(one) for one in queues], nobody_works(settings, queues), None


async def _streams() -> tuple[list[dict[str, Any]], str | None]:
    """What each subscription is busy with, and the first reason why not all could be asked."""
    rows: list[dict[str, Any]] = []
    problem: str | None = None
    try:
        async with open_stores() as (settings, stores):
            for pair in await pairings(settings.platform_dsn):
                try:
                    rows.append(await _stream(stores, pair))
                except Exception as error:
                    problem = problem or f"{pair['munchkin']}: {_told(error)}"
    except Exception as error:
        problem = _told(error)
    return rows, problem


async def _stream(stores: Stores, pair: Any) -> dict[str, Any]:
    munchkin = pair["munchkin"]
    engage = await stores.engage(munchkin)
    counts = await sql.fetchrow(engage, "health")
    lag = await sync.lag(engage, await stores.platform(munchkin), munchkin)
    return {
        "subscription": munchkin,
        "sandbox": pair["sandbox"],
        **dict(counts),
        "groups_to_keep": await sql.fetchval(engage, "accounts_in_question"),
        "jobs": [
            f"{job.slug}: {job.made} of {job.accounts} groups"
            for job in await buying_group_jobs.unfinished(engage, await stores.platform(munchkin))
        ],
        "to_sync": lag.rows,
        "sync_lag_seconds": round(lag.seconds(datetime.now(UTC)), 3),
        "synced": lag.applied,
    }


def _told(error: Exception) -> str:
    told = sentence(error, embedded=is_embedded())
    if told is None:
        raise error
    return told[0]
