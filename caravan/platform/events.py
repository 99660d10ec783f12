"""Recording events from outside in a sandbox, once each by id; they flow down by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.database.erasures import ErasureKey
from caravan.database.outbox import nudge
from caravan.platform import sql
from caravan.platform.erased_rows import ERASED, erased_people
from caravan.platform.event_lines import EventRow
from caravan.platform.known import known


@dataclass(frozen=True)
class RecordedEvents:
    """What became of a page of events, each by its place in it."""

    refused: dict[int, str]  # why
    new: frozenset[int]  # the others were known already
    counts: Any


async def record_events(
    pool: Any, events: Sequence[EventRow], at: datetime, erasure_key: ErasureKey | None = None
) -> RecordedEvents:
    """Record events in one transaction; those of unknown or erased people or of unknown accounts are refused.

    Args:
        pool: of the sandbox.
        events: of which one may come twice; the first counts.
        at: when it was that they came.
        erasure_key: by which who was erased is known again.
    """
    async with pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "share_identities")
        people = await known(conn, "people", (event.person for event in events))
        accounts = await known(conn, "accounts", (event.account for event in events))
        strangers = {event.person for event in events if event.person} - people
        erased = await erased_people(conn, erasure_key, strangers)
        refused: dict[int, str] = {}
        for place, event in enumerate(events):
            if event.person in erased:
                refused[place] = ERASED
            elif event.person is not None and event.person not in people:
                refused[place] = f"no person {event.person}"
            elif event.account is not None and event.account not in accounts:
                refused[place] = f"no account {event.account}"
        good = {place: event for place, event in enumerate(events) if place not in refused}
        counts = await sql.fetchrow(
            conn,
            "import_events",
            external_ids=[event.id for event in good.values()],
            types=[event.type for event in good.values()],
            ats=[event.at for event in good.values()],
            accounts=[event.account for event in good.values()],
            people=[event.person for event in good.values()],
            fields=[event.fields for event in good.values()],
            at=at,
        )
        await nudge(conn)
    first = {event.id: place for place, event in reversed(good.items())}
    new = frozenset(first[identity] for identity in counts["new_ids"])
    return RecordedEvents(refused, new, counts)
