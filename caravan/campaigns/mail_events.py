"""Recording that a message was opened or that a link of it was followed, many at once.

Whoever listens hears it in the same transaction. What an automatic agent did is recorded as such, and
neither moves nor engages anybody (unless a journey asks: ``bots: true``). The same of one message within one
minute counts once: mail programs fetch pictures as often as they like, and fingers click twice.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.campaigns import recording
from caravan.campaigns.bots import What, time_verdict
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.events import BOT


@dataclass(frozen=True)
class Seen:
    """An open or a click, as the gateway was told of it."""

    what: What
    message_number: int
    at: datetime
    link: str | None = None  # of a click
    bot: str | None = None  # why it cannot be a person's, as far as the request alone can tell


async def record_seen(pool: Any, plans: PlanCache, seen: Sequence[Seen], as_of: datetime) -> int:
    """Record what was seen, in one transaction; returns how much of it was new.

    A message that is not there, or whose person is not any more, is left out.
    """
    async with pool.acquire() as conn, conn.transaction():
        rows = await sql.fetch(
            conn, "messages_followed", numbers=sorted({one.message_number for one in seen})
        )
        messages = {row["id"]: row for row in rows}
        happenings = [
            _happening(one, messages[one.message_number])
            for one in seen
            if one.message_number in messages
        ]
        return await recording.record(conn, plans, happenings, as_of)


def about(message: Any) -> dict[str, Any]:
    """What an activity says of the message it is about; its Message-ID names nobody."""
    return {
        "template": message["template"],
        "journey": message["journey"],
        "node": message["node"],
        "message": message["message_id"],
    }


def _happening(one: Seen, message: Any) -> Happening:
    bot = one.bot or time_verdict(one.what, one.at, message["handed_over_at"])
    fields = about(message)
    if one.link is not None:
        fields["link"] = one.link
    if bot is not None:
        fields |= {BOT: True, "reason": bot}
    return Happening(
        f"email_{one.what}",
        one.at,
        person_id=message["person_id"],
        fields=fields,
        external_id=_identity(one, bot is not None),
    )


def _identity(one: Seen, bot: bool) -> str:
    link = hashlib.sha256((one.link or "").encode()).hexdigest()[:16]
    minute = int(one.at.timestamp()) // 60
    return f"{one.what}:{one.message_number}:{link}:{minute}" + (":bot" if bot else "")
