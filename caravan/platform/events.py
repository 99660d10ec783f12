"""Recording events from outside in a sandbox, once each by id; they flow down by themselves.

By whichever way they come, files, the gateway or a command, they are read by ``event_lines`` and recorded here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from caravan.database.erasures import ErasureKey
from caravan.database.outbox import nudge
from caravan.platform import sql
from caravan.platform.erased_rows import ERASED, erased_people
from caravan.platform.event_lines import EventRow
from caravan.platform.known import known

#: events of one transaction
BATCH = 500
#: how far the clock of who sends events may be ahead of ours
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True)
class RecordedEvents:
    """What became of events, each by its place among them."""

    refused: dict[int, str]  # why
    new: frozenset[int]
    repeated: int  # known already


async def record_events(
    pool: Any, events: Sequence[EventRow], at: datetime, erasure_key: ErasureKey | None = None
) -> RecordedEvents:
    """Record events, a batch a transaction.

    Refused are those dated too far ahead, of unknown or erased people, or of unknown accounts. Where it fails
    on the way all may be sent again: what was recorded is known by its id.

    Args:
        pool: of the sandbox.
        events: of which one may come twice; the first counts.
        at: when it is that they come.
        erasure_key: by which who was erased is known again.
    """
    refused: dict[int, str] = {}
    new: set[int] = set()
    for start in range(0, len(events), BATCH):
        batch = events[start : start + BATCH]
        why, recorded = await _record_batch(pool, batch, at, erasure_key)
        refused |= {start + place: reason for place, reason in why.items()}
        new |= {start + place for place in recorded}
    return RecordedEvents(refused, frozenset(new), len(events) - len(refused) - len(new))


async def _record_batch(
    pool: Any, events: Sequence[EventRow], at: datetime, erasure_key: ErasureKey | None
) -> tuple[dict[int, str], list[int]]:
    """Which were refused, and which are new."""
    async with pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "share_identities")
        people = await known(conn, "people", (event.person for event in events))
        accounts = await known(conn, "accounts", (event.account for event in events))
        strangers = {event.person for event in events if event.person} - people
        erased = await erased_people(conn, erasure_key, strangers)
        refused: dict[int, str] = {}
        for place, event in enumerate(events):
            if event.at > at + AHEAD:
                refused[place] = too_far_ahead(event.at, at)
            elif event.person in erased:
                refused[place] = ERASED
            elif event.person is not None and event.person not in people:
                refused[place] = f"no person {event.person}"
            elif event.account is not None and event.account not in accounts:
                refused[place] = f"no account {event.account}"
        good = {place: event for place, event in enumerate(events) if place not in refused}
        rows = await sql.fetch(
            conn,
            "record_events",
            external_ids=[event.id for event in good.values()],
            types=[event.type for event in good.values()],
            ats=[event.at for event in good.values()],
            accounts=[event.account for event in good.values()],
            people=[event.person for event in good.values()],
            fields=[event.fields for event in good.values()],
            at=at,
        )
        if rows:
            await nudge(conn)
    first = {event.id: place for place, event in reversed(good.items())}
    return refused, [first[row["external_id"]] for row in rows]


def too_far_ahead(event_at: datetime, at: datetime) -> str:
    """Why an event is refused that says it is still to come."""
    minutes = AHEAD // timedelta(minutes=1)
    return (
        f"at {_instant(event_at)} is more than {minutes} minutes ahead of now ({_instant(at)}): "
        "set the sender's clock, or send the event once it has happened"
    )


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
