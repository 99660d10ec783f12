"""Settling a message: the relay's verdict becomes the ledger's, with all that follows from it at once.

What a message had taken of its communication limits the store itself gives back, whoever says that it is not sent:
the trigger `settle_limit_slots` (migration 0010).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from caravan.campaigns import sms_consent
from caravan.campaigns.bounces import follow_refusal
from caravan.delivery.transport import Accepted, Deferred, InDoubt, Refused, Verdict
from caravan.engage import sql
from caravan.journeys.actions import ACTIONS

#: how long a message that was put off waits; twice as long each further time
FIRST_WAIT = timedelta(minutes=15)
#: how long after it was claimed a message may still be sent
GIVE_UP_AFTER = timedelta(hours=72)


@dataclass(frozen=True)
class Settled:
    """A message as its verdict has left it in the ledger."""

    number: int  # the row's, by which links and return paths name it
    message_id: str
    traversal_id: int
    node: str
    visit: int
    position: int
    person_id: int  # of an alert: -1, -2 … for the first of its addresses, the second …
    action: str
    template: str | None
    state: str


async def settle(pool: Any, message_id: str, verdict: Verdict, at: datetime) -> Settled | None:
    """Note a verdict, with what follows from it; None: somebody else's word has settled the message.

    From being taken nothing follows but what the step records, so that is one statement.
    """
    if isinstance(verdict, Accepted):
        return await _note(pool, message_id, verdict, at)
    async with pool.acquire() as conn, conn.transaction():
        return await settle_in(conn, message_id, verdict, at)


async def settle_in(conn: Any, message_id: str, verdict: Verdict, at: datetime) -> Settled | None:
    """As ``settle``, in the caller's transaction."""
    settled = await _note(conn, message_id, verdict, at)
    if settled is not None and settled.state == "refused":
        await after_refusal(conn, settled, verdict, at)
    return settled


async def after_refusal(conn: Any, settled: Settled, verdict: Verdict, at: datetime) -> None:
    """What a definite no changes beside the message: a line each, the rule in a file of its own."""
    if ACTIONS[settled.action].carrier == "text":
        await sms_consent.after_refusal(conn, settled.person_id, verdict, at)
    else:
        await follow_refusal(conn, settled.message_id, verdict, at)


async def _note(conn: Any, message_id: str, verdict: Verdict, at: datetime) -> Settled | None:
    state, reply = _told(verdict)
    row = await sql.fetchrow(
        conn,
        "settle_message",
        message_id=message_id,
        state=state,
        reply=reply,
        put_off=state == "deferred",
        first_wait=FIRST_WAIT,
        give_up_after=GIVE_UP_AFTER,
        at=at,
    )
    return None if row is None else Settled(**row)


def _told(verdict: Verdict) -> tuple[str, str]:
    match verdict:
        case Accepted(reply):
            return "accepted", reply
        case Deferred(_, reply):
            return "deferred", reply
        case InDoubt(detail):
            return "in_doubt", detail
        case Refused(_, reply):
            return "refused", reply
