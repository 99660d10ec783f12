"""The delivery queue: hands over the mail that waits, when its time has come.

Each message is taken by one try, judged anew, marked `handed_over` before its content can leave, and settled
with the activity of its being sent in one commit. What a try that died had taken is taken again; what it had
handed over is in doubt, as at a node.
"""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from typing import Any, Self

from caravan.campaigns import recording, waiting_mail
from caravan.campaigns.last_word import last_word
from caravan.campaigns.mail_hand_over import Now, Overtaken
from caravan.campaigns.mail_settling import settle, settle_in
from caravan.campaigns.mail_step import happened
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.messages import MESSAGES
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.turns import NotYet
from caravan.campaigns.waiting_mail import CUT_OFF, Ready, Waiting
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.transport import Accepted, Outgoing, Session, Verdict
from caravan.engage import sql
from caravan.journeys.actions.base import Carrier

#: a relay may take 10 minutes for its last word (RFC 5321 §4.5.3.2.6), and some for those before
LONGEST_HAND_OVER = timedelta(minutes=15)
#: when what an absent relay kept here is looked at again
RELAY_AWAY = timedelta(minutes=1)


async def take_over(pool: Any, series: str, at: datetime) -> None:
    """What tries that died have left: claimed is claimed again, handed over is in doubt.

    Args:
        series: what the claimants of the tries before this one begin with.
    """
    await sql.execute(pool, "free_waiting", series=series, at=at)
    await sql.execute(pool, "doubt_waiting", series=series, at=at)


async def send_some(
    pool: Any,
    plans: PlanCache,
    mailing: Mailing,
    claimant: str,
    now: Now,
    *,
    stopping: Callable[[], bool] = lambda: False,
    captured: bool = False,
) -> int:
    """Take some messages that are due and see to each; returns how many, 0 when none is due.

    Args:
        captured: the transport is in this process: what it takes counts as delivered.

    Raises:
        RelayUnreachable: what was taken waits on.
    """
    messages = await waiting_mail.take(pool, claimant, now())
    if not messages:
        return 0
    left = {one.number: one for one in messages}
    try:
        async with _Sessions(mailing) as sessions:
            for some in waiting_mail.by_send(messages):
                ready = await waiting_mail.judge(pool, plans, mailing, some, claimant, now())
                for one in some:
                    if one.number not in {other.waiting.number for other in ready}:
                        del left[one.number]
                for message in ready:
                    if stopping():
                        break
                    try:
                        session = await sessions.of(message.outgoing)
                        with suppress(Overtaken):
                            await _hand_over(
                                pool, plans, session, message, claimant, now, captured=captured
                            )
                    except NotYet as error:
                        # a turn of its own is far: those of other domains may be here
                        until = now() + error.retry_after
                        await _leave(pool, [message.waiting], claimant, until, str(error))
                    except RelayUnreachable as error:
                        # the other carrier may be there
                        sessions.away(message.outgoing, error)
                        until = now() + RELAY_AWAY
                        await _leave(pool, [message.waiting], claimant, until, str(error))
                    del left[message.waiting.number]
                if stopping():
                    break
            sessions.complain()
    except RelayUnreachable as error:
        await _leave(pool, list(left.values()), claimant, now() + RELAY_AWAY, str(error))
        raise
    await _leave(pool, list(left.values()), claimant, now())
    return len(messages)


class _Sessions:
    """A session with each carrier that is there; who is away is not asked again."""

    def __init__(self, mailing: Mailing) -> None:
        self._mailing = mailing
        self._stack = AsyncExitStack()
        self._open: dict[int, Session] = {}
        self._away: dict[Carrier, RelayUnreachable] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def of(self, message: Outgoing) -> Session:
        """The session for a message.

        Raises:
            RelayUnreachable: its carrier is away.
        """
        away = self._away.get(message.carrier)
        if away is not None:
            raise away
        carrier = self._mailing.carrier(message)
        if id(carrier) not in self._open:
            self._open[id(carrier)] = await self._stack.enter_async_context(carrier.session())
        return self._open[id(carrier)]

    def away(self, message: Outgoing, error: RelayUnreachable) -> None:
        """Its carrier is."""
        self._away[message.carrier] = error

    def complain(self) -> None:
        """Say so of the first that is away, once all that could be done is done."""
        error = next(iter(self._away.values()), None)
        if error is not None:
            raise error


async def _leave(
    pool: Any,
    messages: Sequence[Waiting],
    claimant: str,
    until: datetime,
    reply: str | None = None,
) -> None:
    if messages:
        await waiting_mail.put_back(pool, messages, claimant, until, reply)


async def _hand_over(
    pool: Any,
    plans: PlanCache,
    session: Session,
    message: Ready,
    claimant: str,
    now: Now,
    *,
    captured: bool,
) -> None:
    waiting = message.waiting

    async def may_leave() -> str | None:
        word: str | None = await sql.fetchval(
            pool,
            "hand_over_waiting",
            number=waiting.number,
            traversal_id=waiting.traversal_id,
            journey_id=waiting.journey_id,
            claimant=claimant,
            ends=list(CUT_OFF),
            at=now(),
            lease=now() + LONGEST_HAND_OVER,
        )
        return word

    async def before_content() -> None:
        if await last_word(may_leave) is None:
            raise Overtaken

    try:
        verdict = await session.send(message.outgoing, before_content)
    except Overtaken:
        # paused, aborted or halted in this moment, or judged too long ago: the next look says which
        await waiting_mail.put_back(pool, [waiting], claimant, now())
        raise
    await _settle(pool, plans, message, verdict, now(), captured=captured)


async def _settle(
    pool: Any,
    plans: PlanCache,
    message: Ready,
    verdict: Verdict,
    at: datetime,
    *,
    captured: bool,
) -> None:
    """Note the verdict; that it was sent is recorded with it, so that who listens hears of it once."""
    waiting = message.waiting
    if not isinstance(verdict, Accepted):
        await settle(pool, waiting.message_id, verdict, at)
        return
    whats = ("sent", "delivered") if captured else ("sent",)
    name = MESSAGES[waiting.action].happens_as
    happenings = [
        happened(
            name,
            what,
            at,
            message_id=waiting.message_id,
            person_id=waiting.person_id,
            template=waiting.template,
            slug=message.slug,
            node=waiting.node,
        )
        for what in whats
        if name is not None
    ]
    async with pool.acquire() as conn, conn.transaction():
        # accounts before the message, as whoever stands at its node has them
        await sql.fetch(
            conn,
            "share_accounts_touched",
            person_ids=[one.person_id for one in happenings if one.person_id is not None],
            account_ids=[],
        )
        if await settle_in(conn, waiting.message_id, verdict, at) is not None:
            await recording.record(conn, plans, happenings, at)
