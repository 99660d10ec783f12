"""Handing one mail over: the ledger's last word before its content leaves, and the relay's verdict."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from caravan.campaigns.mail_claims import Message
from caravan.campaigns.mail_step import MailStep
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.transport import Accepted, Deferred, InDoubt, Session, Verdict
from caravan.engage import sql

#: how long after a temporary refusal a message may be tried again, at the earliest. It is kept as the
#: row's `until` for a queue that sends later; nothing reads it yet (docs/limits.md)
DEFERRED_FOR = timedelta(minutes=15)

Now = Callable[[], datetime]


class Overtaken(Exception):
    """The traversal was closed, or another try took the message: we do not hand it over."""


async def hand_over(
    pool: Any, session: Session, step: MailStep, message: Message, claimant: str, now: Now
) -> None:
    """Send one message and settle what became of it.

    Raises:
        Overtaken: it is not ours to send any more.
        RelayUnreachable: it did not leave; it may be claimed again.
    """
    place = {
        "traversal_id": step.locked.traversal.id,
        "node": step.command.node,
        "visit": step.command.visit,
    }

    async def before_content() -> None:
        handed = await sql.fetchval(
            pool,
            "hand_over",
            **place,
            epoch=step.locked.traversal.epoch,
            position=message.position,
            person_id=message.person_id,
            claimant=claimant,
            copy=message.copy,
        )
        if handed is None:
            raise Overtaken

    try:
        verdict = await session.send(message.outgoing, before_content)
    except RelayUnreachable as error:
        await sql.execute(pool, "take_back", **place, claimant=claimant, reply=str(error))
        raise
    at = now()
    state, reply, until = _settled(verdict, at)
    await sql.execute(
        pool,
        "settle_message",
        message_id=message.outgoing.message_id,
        state=state,
        reply=reply,
        until=until,
        at=at,
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
