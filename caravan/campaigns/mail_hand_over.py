"""Handing one mail over: the ledger's last word before its content leaves, and the relay's verdict."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from caravan.campaigns.last_word import last_word
from caravan.campaigns.mail_claims import Message
from caravan.campaigns.mail_settling import settle
from caravan.campaigns.mail_step import MailStep
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.transport import Session
from caravan.engage import sql

Now = Callable[[], datetime]


class Overtaken(Exception):
    """The traversal was closed, sending is stopped, or another try took it: we do not hand it over."""


async def withhold(pool: Any, step: MailStep, claimant: str, why: str) -> None:
    """What this try has in hand does not leave from here; the account waits as for a relay that is away.

    Raises:
        RelayUnreachable: says why.
    """
    await sql.execute(
        pool,
        "take_back",
        traversal_id=step.locked.traversal.id,
        node=step.command.node,
        visit=step.command.visit,
        claimant=claimant,
        reply=why,
    )
    raise RelayUnreachable(why)


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

    one = {**place, "position": message.position, "person_id": message.person_id}
    epoch = step.locked.traversal.epoch

    async def may_leave() -> str | None:
        word: str | None = await sql.fetchval(
            pool, "hand_over", **one, epoch=epoch, claimant=claimant, copy=message.copy
        )
        return word

    async def before_content() -> None:
        if await last_word(may_leave) is None:
            # it may have had the word before, and was too slow
            await sql.execute(pool, "not_handed_over", **one, claimant=claimant, at=now())
            raise Overtaken

    try:
        verdict = await session.send(message.outgoing, before_content)
    except RelayUnreachable as error:
        await sql.execute(pool, "take_back", **place, claimant=claimant, reply=str(error))
        raise
    await settle(pool, message.outgoing.message_id, verdict, now())
