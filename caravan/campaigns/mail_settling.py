"""Settling a message: the relay's verdict becomes the ledger's, with all that follows from it at once."""

from datetime import datetime, timedelta
from typing import Any

from caravan.delivery.transport import Accepted, Deferred, InDoubt, Verdict
from caravan.engage import sql

#: how long after a temporary refusal a message may be tried again, at the earliest. It is kept as the
#: row's `until` for a queue that sends later; nothing reads it yet (docs/limits.md)
DEFERRED_FOR = timedelta(minutes=15)


async def settle(pool: Any, message_id: str, verdict: Verdict, at: datetime) -> None:
    """Note a verdict."""
    state, reply, until = _settled(verdict, at)
    await sql.execute(
        pool, "settle_message", message_id=message_id, state=state, reply=reply, until=until, at=at
    )


def _settled(verdict: Verdict, at: datetime) -> tuple[str, str, datetime | None]:
    match verdict:
        case Accepted(reply):
            return "accepted", reply, None
        case Deferred(_, reply):
            return "deferred", reply, at + DEFERRED_FOR
        case InDoubt(detail):
            return "in_doubt", detail, None
        case _:
            return "refused", verdict.reply, None
