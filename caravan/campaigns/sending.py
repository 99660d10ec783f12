"""The actions that send: one message to each person it is meant for, handed over at most once.

Each message is a ledger row, claimed before the relay is called and marked `handed_over` before a byte
of its content can leave. What breaks before that is tried again; what breaks after it is `in_doubt` and
is not sent again by itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import groupby
from typing import Any

from caravan.campaigns import mail_step
from caravan.campaigns.alert_prose import AlertProse
from caravan.campaigns.claim_age import ClaimAge
from caravan.campaigns.mail_claims import Claimed, Message, claim
from caravan.campaigns.mail_hand_over import Now, Overtaken, Settling, hand_over, withhold
from caravan.campaigns.mail_step import MailStep
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.served import Served
from caravan.campaigns.turns import NotYet
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.transport import Session
from caravan.journeys.actions.base import Carrier


async def send(
    pool: Any,
    plans: PlanCache,
    mailing: Mailing,
    *,
    traversal_id: int,
    step_no: int,
    claimant: str,
    now: Now,
    stopping: Callable[[], bool] = lambda: False,
    go_on: bool = False,
) -> Served:
    """Send the mail of the segment a traversal stands at, to all its people.

    Args:
        pool: the engage store.
        mailing: what this process sends with.
        step_no: the step this send will be; stored already, it is returned.
        claimant: names this try; what another one handed over and never settled is in doubt.
        now: domain time, taken per claim.
        stopping: true once this process is to end: nothing more is handed over then.
        go_on: serve the store-only commands before and behind it too.

    Raises:
        RelayUnreachable: nothing more could be handed over; try again later, nobody gets it twice.
    """
    away: dict[Carrier, RelayUnreachable] = {}
    if mailing.summarise is not None:
        mailing = replace(mailing, alert_prose=AlertProse(mailing.summarise))
    while True:
        try:
            sending = await _send_what_is_claimed(
                pool,
                plans,
                mailing,
                traversal_id=traversal_id,
                step_no=step_no,
                claimant=claimant,
                now=now,
                stopping=stopping,
                go_on=go_on,
                away=away,
            )
        except NotYet as later:
            # what waits for its turn is looked at anew now and then: it may have been paused, or withdrawn
            if stopping() or not later.soon:
                raise
        else:
            if sending is not None:
                return sending


async def _send_what_is_claimed(
    pool: Any,
    plans: PlanCache,
    mailing: Mailing,
    *,
    traversal_id: int,
    step_no: int,
    claimant: str,
    now: Now,
    stopping: Callable[[], bool],
    go_on: bool,
    away: dict[Carrier, RelayUnreachable],
) -> Served | None:
    """Claim, and send; None where the claim grew old before all was sent.

    Args:
        away: the carriers that were found away; they are not asked again.
    """
    claimed = await claim(pool, plans, mailing, traversal_id, step_no, claimant, now(), go_on=go_on)
    if isinstance(claimed, Served):
        return claimed

    async def claim_again(earlier: Claimed) -> Claimed | Served:
        at_it = earlier.step.locked.state.step_no
        return await claim(pool, plans, mailing, traversal_id, at_it, claimant, now())

    if mailing.alert_prose is not None and mailing.alert_prose.is_wanted:
        # of what is claimed nothing has left; it is claimed anew with what a model says by now, or without
        await mailing.alert_prose.fetch(pool, now())
        again = await claim_again(claimed)
        if isinstance(again, Served):
            return None
        claimed = replace(again, step=replace(again.step, before=claimed.step.before))
    age = ClaimAge(claimed, claim_again, now)
    if claimed.messages:
        withheld = mailing.withheld
        leaving = [
            message for message in claimed.messages if withheld is None or not message.marketing
        ]
        waits: dict[Carrier, NotYet] = {}
        # in the order of the actions
        for carrier, group in groupby(leaving, lambda one: one.outgoing.carrier):
            if carrier in away or carrier in waits:
                continue
            messages = list(group)
            try:
                async with mailing.carrier(messages[0].outgoing).session() as session:
                    if not await _hand_over_all(
                        pool, session, claimed.step, messages, claimant, now, age, stopping
                    ):
                        return None
            except NotYet as later:
                waits[carrier] = later
            except RelayUnreachable as error:
                away[carrier] = error  # the other carrier may be there
        _complain(list(waits.values()), list(away.values()))
        if withheld is not None and len(leaving) < len(claimed.messages):
            await withhold(pool, claimed.step, claimant, withheld)
    return await mail_step.conclude(
        pool,
        plans,
        claimed.step,
        claimant,
        now(),
        go_on=go_on,
    )


def _complain(waits: list[NotYet], away: list[RelayUnreachable]) -> None:
    """Say what keeps some from leaving, once all that could leave has: a turn that comes soon is waited for first."""
    error = next(iter([*(one for one in waits if one.soon), *away, *waits]), None)
    if error is not None:
        raise error


async def _hand_over_all(
    pool: Any,
    session: Session,
    step: MailStep,
    messages: Iterable[Message],
    claimant: str,
    now: Now,
    age: ClaimAge,
    stopping: Callable[[], bool],
) -> bool:
    """Hand over one by one; False where they are to be claimed anew before more leaves."""
    async with Settling() as settling:
        for message in messages:
            if stopping():
                break
            if age.is_old:
                return False
            try:
                await hand_over(pool, session, step, message, claimant, now, age, settling)
            except Overtaken:
                if not await mail_step.may_still_leave(pool, step):
                    break  # nothing of it may: the other side need not hear of the rest
    return True
