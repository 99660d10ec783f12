"""The communication limits in force: storing what the documents of a workspace say together, and reading it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from caravan.engage import sql
from caravan.journeys.documents.communication_limits import (
    Channel,
    CommunicationLimitsDocument,
    Limit,
    Subject,
)
from caravan.journeys.durations import Duration
from caravan.journeys.quiet_hours import QuietHours

#: counts of periods that have been over for so long are forgotten
KEPT_FOR = timedelta(days=1)
PAGE = 5000


class Rule(BaseModel):
    """A limit with the number it is counted under; of several that count the same the lowest holds."""

    model_config = ConfigDict(frozen=True)

    id: int
    per: Subject
    at_most: int
    every: Duration
    channel: Channel | None = None
    zone: str


class CommunicationLimits(BaseModel):
    """All that holds now."""

    model_config = ConfigDict(frozen=True)

    rules: tuple[Rule, ...] = ()
    quiet_hours: tuple[QuietHours, ...] = ()

    def of(self, channel: Channel) -> list[Rule]:
        """The rules that count messages of a channel."""
        return [rule for rule in self.rules if rule.channel in (None, channel)]


NO_COMMUNICATION_LIMITS = CommunicationLimits()


async def store(
    conn: Any, documents: Mapping[str, CommunicationLimitsDocument], at: datetime
) -> None:
    """Put the documents of a workspace in force in place of those before, in a transaction."""
    bodies = [documents[slug].model_dump(mode="json") for slug in sorted(documents)]
    lowest: dict[tuple[str, str, str, str], int] = {}
    for document in documents.values():
        for limit in document.limits:
            key = _counted(limit, document.zone)
            lowest[key] = min(limit.at_most, lowest.get(key, limit.at_most))
    keys = sorted(lowest)
    ids = await sql.fetch(
        conn,
        "store_limit_rules",
        pers=[per for per, *_ in keys],
        everys=[every for _, every, *_ in keys],
        channels=[channel for *_, channel, _ in keys],
        zones=[zone for *_, zone in keys],
    )
    rules = [
        {
            "id": row["id"],
            "per": key[0],
            "at_most": lowest[key],
            "every": key[1],
            "channel": key[2] or None,
            "zone": key[3],
        }
        for row, key in zip(ids, keys, strict=True)
    ]
    await sql.execute(
        conn,
        "store_limits",
        hash=hashlib.sha256(json.dumps(bodies).encode()).hexdigest() if bodies else None,
        documents=bodies,
        rules=rules,
        at=at,
    )


async def stored_documents(conn: Any) -> dict[str, CommunicationLimitsDocument]:
    """The documents in force, by slug."""
    row = await sql.fetchrow(conn, "limits_in_force")
    bodies = row["documents"] if row is not None else []
    documents = map(CommunicationLimitsDocument.model_validate, bodies)
    return {one.communication_limits: one for one in documents}


async def in_force(conn: Any) -> tuple[str | None, CommunicationLimits]:
    """What holds now, and the hash of it."""
    row = await sql.fetchrow(conn, "limits_in_force")
    if row is None:
        return None, NO_COMMUNICATION_LIMITS
    documents = map(CommunicationLimitsDocument.model_validate, row["documents"])
    return row["hash"], CommunicationLimits(
        rules=tuple(map(Rule.model_validate, row["rules"])),
        quiet_hours=tuple(quiet for document in documents for quiet in document.quiet_hours),
    )


async def forget_past(pool: Any, now: datetime) -> None:
    """Forget what was counted in periods that are over."""
    await sql.execute(pool, "forget_past_counts", before=now - KEPT_FOR, limit=PAGE)


def _counted(limit: Limit, zone: str) -> tuple[str, str, str, str]:
    return limit.per, str(limit.every), limit.channel or "", zone
