"""Handing one mail over: the ledger's last word before its content leaves, and the relay's verdict."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Self

from caravan.campaigns.claim_age import ClaimAge
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


class Settling:
    """Notes the verdict of one message while the next one of its conversation is announced.

    One at a time: nothing gets its last word before the verdict in front of it is in the ledger, so a process
    that dies leaves one message of a conversation in doubt at most, as without this.
    """

    def __init__(self) -> None:
        self._noting: asyncio.Task[object] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.done()

    def begin(self, noting: Coroutine[Any, Any, object]) -> None:
        self._noting = asyncio.create_task(noting)

    async def done(self) -> None:
        """Wait until it is noted; what kept it from being noted is raised, once."""
        if self._noting is not None:
            noting = self._noting
            try:
                await asyncio.shield(noting)
            finally:
                if noting.done():
                    self._noting = None


async def hand_over(
    pool: Any,
    session: Session,
    step: MailStep,
    message: Message,
    claimant: str,
    now: Now,
    age: ClaimAge | None = None,
    settling: Settling | None = None,
) -> None:
    """Send one message and settle what became of it.

    Args:
        age: of its claim; None: it has just been claimed.
        settling: where its verdict may be noted behind its back; the caller waits for the last one.

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
            pool, "hand_over", **one, epoch=epoch, claimant=claimant, copy=message.copy, at=now()
        )
        return word

    async def before_content() -> None:
        if settling is not None:
            await settling.done()
        fresh = age is None or await age.still_to_send(message)
        if not fresh or await last_word(may_leave) is None:
            # it may have had the word before, and was too slow
            await sql.execute(pool, "not_handed_over", **one, claimant=claimant, at=now())
            raise Overtaken

    try:
        verdict = await session.send(message.outgoing, before_content)
    except RelayUnreachable as error:
        if settling is not None:
            await settling.done()  # what has a verdict is not to be taken back
        await sql.execute(pool, "take_back", **place, claimant=claimant, reply=str(error))
        raise
    noting = settle(pool, message.outgoing.message_id, verdict, now())
    if settling is None:
        await noting
        return
    await settling.done()
    settling.begin(noting)
