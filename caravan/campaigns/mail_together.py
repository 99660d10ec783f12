"""Sending all mail of a step by a transport in this very process, in one transaction and one word of the ledger.

Nothing can come between the content's leaving and its being taken, so the states in between are not
needed, nor the commits that tell others of them. For simulations: a relay that is another process is spoken
to message by message.
"""

from datetime import datetime
from typing import Any

from caravan.campaigns import mail_step
from caravan.campaigns.actions import with_savepoints_if_needed
from caravan.campaigns.mail_claims import claim_in
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.served import Served
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.transport import Outgoing
from caravan.engage import sql


async def send_together(
    pool: Any,
    plans: PlanCache,
    mailing: Mailing,
    *,
    traversal_id: int,
    step_no: int,
    claimant: str,
    at: datetime,
) -> Served:
    """As ``sending.send``, of what the transport takes and delivers at once.

    The store-only commands before and behind it are served too.

    Args:
        pool: the engage store.
        mailing: whose transport keeps what it is given.
        step_no: the step this send will be; stored already, it is returned.
        claimant: names this try.
        at: domain time.
    """
    transport = mailing.transport
    assert isinstance(transport, CaptureTransport)

    async def transaction(savepoints: bool) -> tuple[Served, list[Outgoing]]:
        async with pool.acquire() as conn, conn.transaction():
            claimed = await claim_in(
                conn,
                plans,
                mailing,
                traversal_id,
                step_no,
                claimant,
                at,
                go_on=True,
                savepoints=savepoints,
                concluded=True,
            )
            if isinstance(claimed, Served):
                return claimed, []
            step = claimed.step
            rows = await sql.fetch(
                conn, "accept_together", **step.key, reply=transport.REPLY, at=at
            )
            taken = {row["message_id"] for row in rows if row["taken"]}
            sending = await mail_step.conclude_in(
                conn,
                plans,
                step,
                claimed.progress,  # nobody else has had its row since
                rows,
                claimant,
                at,
                go_on=True,
                captured=True,
            )
            outgoing = (message.outgoing for message in claimed.messages)
            return sending, [one for one in outgoing if one.message_id in taken]

    sending, leaving = await with_savepoints_if_needed(transaction)
    transport.take(leaving)  # last: a transaction that is tried again sends nothing twice
    return sending
