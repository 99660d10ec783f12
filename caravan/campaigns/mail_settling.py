"""Settling a message: the relay's verdict becomes the ledger's, with all that follows from it at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from caravan.campaigns import sms_consent
from caravan.delivery.transport import Accepted, Deferred, InDoubt, Refused, Verdict
from caravan.engage import sql

#: how long after a temporary refusal a message may be tried again, at the earliest. It is kept as the
#: row's `until` for a queue that sends later; nothing reads it yet (docs/limits.md)
DEFERRED_FOR = timedelta(minutes=15)


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
    """What else changes where a message is not to be sent any more: a line each, the rule in a file of its own."""
    if settled.action == "send_sms":
        await sms_consent.after_refusal(conn, settled.person_id, verdict, at)


async def _note(conn: Any, message_id: str, verdict: Verdict, at: datetime) -> Settled | None:
    state, reply, until = _told(verdict, at)
    row = await sql.fetchrow(
        conn, "settle_message", message_id=message_id, state=state, reply=reply, until=until, at=at
    )
    return None if row is None else Settled(**row)


def _told(verdict: Verdict, at: datetime) -> tuple[str, str, datetime | None]:
    match verdict:
        case Accepted(reply):
            return "accepted", reply, None
        case Deferred(_, reply):
            return "deferred", reply, at + DEFERRED_FOR
        case InDoubt(detail):
            return "in_doubt", detail, None
        case Refused(_, reply):
            return "refused", reply, None
