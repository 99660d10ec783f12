"""Handing all mail of a step over to a transport in this very process, in one word of the ledger.

Nothing can come between the content's leaving and its being taken, so the states in between are not
needed. For simulations: a relay that is another process is spoken to message by message.
"""

from datetime import datetime
from typing import Any

from caravan.campaigns.mail_claims import Claimed
from caravan.delivery.capture import CaptureTransport
from caravan.delivery.transport import Transport
from caravan.engage import sql


async def hand_over_together(
    pool: Any, transport: Transport, claimed: Claimed, at: datetime
) -> None:
    """Have the transport take what was claimed, and settle it as accepted."""
    assert isinstance(transport, CaptureTransport)
    if not claimed.messages:
        return
    step = claimed.step
    rows = await sql.fetch(
        pool, "accept_together", **step.key, reply=transport.take([]).reply, at=at
    )
    accepted = {row["message_id"] for row in rows}
    transport.take(
        [
            message.outgoing
            for message in claimed.messages
            if message.outgoing.message_id in accepted
        ]
    )
