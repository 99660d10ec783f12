"""What a person says of a message in doubt: it was sent, it was not, it is to be sent again.

Nothing but a person's word takes a message out of doubt, save that of the try itself, should it still come.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from caravan.campaigns import recording
from caravan.campaigns.mail_settling import Settled
from caravan.campaigns.mail_step import happened
from caravan.campaigns.messages import MESSAGES
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql
from caravan.journeys.reasons import SkipReason


class Said(StrEnum):
    """What a person knows."""

    sent = "sent"
    not_sent = "not-sent"
    resend = "resend"  # it was not, and is to be sent again with the same Message-ID


#: what becomes of the message, and why
_BECOMES: dict[Said, tuple[str, SkipReason | None]] = {
    Said.sent: ("accepted", None),
    Said.not_sent: ("refused", SkipReason.NOT_SENT),
    Said.resend: ("deferred", None),
}


class NotInDoubt(Exception):
    """There is nothing to resolve; ``state`` is how the message stands, None: there is none."""

    def __init__(self, message_id: str, state: str | None) -> None:
        super().__init__(f"{message_id} is {state}")
        self.message_id = message_id
        self.state = state


async def resolve(
    pool: Any, plans: PlanCache, message_id: str, said: Said, who: str, at: datetime
) -> Settled:
    """Settle a message in doubt by what a person says, noted with who and when.

    One that was sent is recorded as an activity, when its try was last heard of. One to be sent again goes through the
    delivery queue, so by its checks.

    Raises:
        NotInDoubt: it is not, or not any more; nothing was changed.
    """
    async with pool.acquire() as conn, conn.transaction():
        found = await sql.fetchrow(conn, "find_message", message_id=message_id)
        if found is None:
            raise NotInDoubt(message_id, None)
        if said is Said.sent:  # accounts before the message, as everybody has them
            await sql.fetch(
                conn, "share_accounts_touched", person_ids=[found["person_id"]], account_ids=[]
            )
        state, reason = _BECOMES[said]
        row = await sql.fetchrow(
            conn, "resolve_message", message_id=message_id, state=state, reason=reason, at=at
        )
        if row is None:
            raise NotInDoubt(message_id, found["state"])
        settled = Settled(**row)
        await sql.execute(
            conn, "note_resolution", message=settled.number, said=said.value, who=who, at=at
        )
        name = MESSAGES[settled.action].happens_as
        if said is Said.sent and name is not None:
            happening = happened(
                name,
                "sent",
                found["settled_at"] or found["claimed_at"],
                message_id=message_id,
                person_id=settled.person_id,
                template=settled.template,
                slug=found["journey"],
                node=settled.node,
            )
            await recording.record(conn, plans, [happening], at)
    return settled
