"""``caravan status``: what runs, where, and how far the streams are behind."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from caravan.campaigns import buying_group_jobs
from caravan.delivery.allowed_recipients import AllowedRecipients
from caravan.engage import halting, sql
from caravan.mail_settings import allowed_recipients
from caravan.platform import sync
from caravan.platform.sandboxes import pairings
from caravan.reports.reason_words import paused_in_words
from caravan.settings import Settings, SettingsError, read_environment
from caravan.stack.stack import Stack
from caravan.stores import Stores
from starter.errors import Failed
from starter.output import Format, FormatOption, as_json, console, plainly, show
from starter.sentences import is_embedded, sentence
from starter.session import open_stores, run
from starter.up import restrictions
from starter.workers import nobody_works, who_works

#: how many of what, by the names of the store's query
COUNTED = ("open_accounts", "to_admit", "to_wake", "in_doubt")
#: of the table; what is stopped is told in words below it
COLUMNS = (
    "subscription",
    "sandbox",
    *COUNTED,
    "groups_to_keep",
    "jobs",
    "to_sync",
    "sync_lag_seconds",
    "synced",
)
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
    allowed, wrong = _allowed()
    problem = problem or unasked or wrong
    if form is Format.json:
        told = {"parts": parts, "queues": queues, "subscriptions": streams}
        alone = allowed.written if allowed else None
        print(as_json(told | {"allow_recipients": alone, "advice": advice, "problem": problem}))
    else:
        show(parts, form, title="Stack")
        console.print()
        if queues:
            show(queues, form, title="Workers")
            console.print()
        if streams or problem is None:
            show(streams, form, title="Subscriptions", columns=COLUMNS, empty=NONE_YET)
        for one in streams:
            for line in _stopped_in_words(one):
                plainly(f"\n{line}")
        for line in restrictions(allowed):
            plainly(f"\n{line}")
        if advice is not None:
            plainly(f"\n{advice}")
    if problem is not None:
        raise Failed(problem)


def _allowed() -> tuple[AllowedRecipients | None, str | None]:
    """Who may be written to, by the settings here (those of workers elsewhere are theirs), or what is wrong."""
    try:
        return allowed_recipients(Settings.load(())), None
    except SettingsError as error:
        return None, str(error)


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
    now = datetime.now(UTC)
    return {
        "subscription": munchkin,
        "sandbox": pair["sandbox"],
        **{key: counts[key] for key in COUNTED},
        **await _stopped(engage),
        "groups_to_keep": await sql.fetchval(engage, "accounts_in_question"),
        "jobs": [
            f"{job.slug}: {job.made} of {job.accounts} groups"
            for job in await buying_group_jobs.unfinished(engage, await stores.platform(munchkin))
        ],
        "to_sync": lag.rows,
        "sync_lag_seconds": round(lag.seconds(now), 3),
        "synced": lag.applied,
        "sync_held_back": lag.held_back,
        "sync_held_back_by": lag.because(now),
    }


async def _stopped(engage: Any) -> dict[str, Any]:
    """What somebody, or what failed, has stopped."""
    halt = await halting.halted(engage)
    paused = await sql.fetch(engage, "paused_journeys")
    return {
        "halted_at": halt.at if halt else None,
        "halted_by": halt.by if halt else None,
        "halt_reason": halt.reason if halt else None,
        "paused_journeys": [
            {
                "journey": row["slug"],
                "paused_at": row["paused_at"],
                "paused_by": row["paused_by"],
                "paused_why": row["paused_why"],
            }
            for row in paused
        ],
    }


def _stopped_in_words(one: dict[str, Any]) -> list[str]:
    told = []
    if one["sync_held_back_by"]:
        told.append(f"{one['subscription']}: {one['sync_held_back_by']}")
    if one["halted_at"] is not None:
        halt = halting.Halt(one["halted_at"], one["halted_by"], one["halt_reason"])
        told.append(
            f"{one['subscription']}: sending is {halt.in_words}; `caravan resume-all` lets it go on"
        )
    told += [
        f"{one['subscription']}: {journey['journey']} is {paused_in_words(journey)}; "
        f"`caravan journey resume {journey['journey']}` lets it go on"
        for journey in one["paused_journeys"]
        if journey["paused_by"] == "failures"
    ]
    return told


def _told(error: Exception) -> str:
    told = sentence(error, embedded=is_embedded())
    if told is None:
        raise error
    return told[0]
