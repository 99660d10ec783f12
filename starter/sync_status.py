"""``caravan sync status``: every stream of a subscription: what waits, how fast it moves, what went wrong."""

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from caravan.campaigns.stream_progress import Standing, standings
from starter.output import Format, FormatOption, as_json, console, plainly, show
from starter.session import Session, SubscriptionOption, run_with

COLUMNS = ("stream", "waiting", "lag", "rate", "moved", "moved_at", "error")
#: seconds between two looks of --watch
EVERY = 2.0


def status(
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Look again every two seconds, until interrupted.")
    ] = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Show the streams: what waits for each and for how long, rows a second, the last error.

    `down`: changes of the Platform. `bring-in`: accounts of new journeys. `lists`, `buying-groups`: questions of their
    upkeep. `admission`: accounts that may enter. `dispatch`: events and changes that wake accounts. `delivery`: messages that
    are due again. `up`: changes that go to the Platform. `activities`: events it is told, where the workspace wants
    that. A long transaction elsewhere in a cluster holds `up` and `down` back: it is named.
    """
    while True:
        found = run_with(subscription, _look)
        if form is Format.json:
            print(as_json([_told(one) for one in found]))
        else:
            if watch:
                console.clear()
            _print(found, form)
        if not watch:
            return
        time.sleep(EVERY)


async def _look(session: Session) -> list[Standing]:
    return await standings(
        await session.engage(), await session.platform(), session.munchkin, datetime.now(UTC)
    )


def _told(one: Standing) -> dict[str, Any]:
    told = asdict(one) | {"in_trouble": one.is_in_trouble}
    return told | {"lag_seconds": round(one.lag_seconds, 3), "rate": round(one.rate, 1)}


def _print(found: list[Standing], form: Format) -> None:
    rows = [
        {
            "stream": one.stream,
            "waiting": one.waiting,
            "lag": f"{one.lag_seconds:.1f} s" if one.waiting else "",
            "rate": f"{one.rate:.0f}/s" if one.rate else "",
            "moved": one.moved,
            "moved_at": one.moved_at,
            "error": one.error if one.is_in_trouble else None,
        }
        for one in found
    ]
    show(rows, form, title="Streams", columns=COLUMNS)
    for one in found:
        if one.held_back_by is not None:
            plainly(f"\n{one.stream}: {one.held_back_by}")
        if one.is_in_trouble:
            plainly(
                f"\n{one.stream}: failed {one.errors} times, last {one.error_at:%Y-%m-%d %H:%M:%SZ}; it is tried again"
            )
