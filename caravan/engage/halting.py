"""Halting: nothing of a subscription leaves – no mail, no call, no text message – until all goes on again.

One row says so. Everything else goes on: accounts enter, wait and are decided for, and stand still only
where something would leave.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.engage import sql
from caravan.engage.life_cycle import wake_held
from caravan.engage.standstill import nothing_is_leaving, those_before_have_ended


@dataclass(frozen=True)
class Halt:
    """Since when nothing leaves, by whom and why."""

    at: datetime
    by: str
    reason: str | None

    @property
    def in_words(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        return f"halted since {self.at:%Y-%m-%d %H:%M:%S} UTC by {self.by}{why}"


@dataclass(frozen=True)
class Halted:
    """What the command came to."""

    halt: Halt
    changed: bool  # it was not halted before
    over: bool  # nothing that does not know of it runs any more


@dataclass(frozen=True)
class GoesOn:
    """What letting all go on came to."""

    halt: Halt | None  # the one that was lifted; None: there was none
    woken: int  # accounts that were held for it, and go on


async def halt(pool: Any, at: datetime, by: str, reason: str | None = None) -> Halted:
    """Let nothing leave from the moment this returns.

    Given again it changes nothing but the reason, where one is given, and waits again.
    """
    async with pool.acquire() as conn:
        # in a transaction of its own: only what has committed is seen by those we wait for
        row = await sql.fetchrow(conn, "halt_sending", at=at, by=by, reason=reason)
        over = await those_before_have_ended(conn)
        await nothing_is_leaving(conn)
    return Halted(_halt(row), row["halted_at"] == at and row["halted_by"] == by, over)


async def resume_all(pool: Any) -> GoesOn:
    """Let everything leave again; who was held goes on, in order of arrival.

    Journeys that are paused stay so. Should this die half way, the reconciler wakes the others.
    """
    row = await sql.fetchrow(pool, "lift_halt")
    woken = await wake_held(pool)
    return GoesOn(_halt(row) if row else None, woken)


async def halted(pool: Any) -> Halt | None:
    """How things stand."""
    row = await sql.fetchrow(pool, "halt_in_force")
    return _halt(row) if row else None


def _halt(row: Any) -> Halt:
    return Halt(row["halted_at"], row["halted_by"], row["reason"])
