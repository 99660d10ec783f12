"""What a provider says became of a text message: it mends a doubt, and is an activity of the person.

A callback names the message, so it also proves that the provider has it: one that is in doubt is settled, in
the transaction that records what became of it. Should that fail, the provider says it again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from caravan.campaigns import recording
from caravan.campaigns.mail_settling import settle_in
from caravan.campaigns.plans import PlanCache
from caravan.delivery.transport import Accepted
from caravan.engage import sql
from caravan.engage.happening import Happening

#: what a status says has happened; the others are stations on the way
HAPPENED = {"delivered": "delivered", "undelivered": "bounced", "failed": "bounced"}


async def take(
    pool: Any,
    plans: PlanCache,
    *,
    number: int,
    sid: str,
    status: str,
    code: str | None,
    at: datetime,
) -> bool:
    """Take a status in; the same one again changes nothing.

    Args:
        pool: the engage store.
        number: of the message in the ledger.
        sid: the provider's name of it.
        status: ``sent``, ``delivered``, ``undelivered`` …
        code: why it did not arrive.
        at: when it was said.

    Returns:
        Whether there is such a message here.
    """
    async with pool.acquire() as conn, conn.transaction():
        message = await sql.fetchrow(conn, "text_followed", number=number)
        if message is None:
            return False
        # accounts before the message, as everybody has them
        await sql.fetch(
            conn, "share_accounts_touched", person_ids=[message["person_id"]], account_ids=[]
        )
        state = await sql.fetchval(conn, "lock_text", number=number)
        happened = []
        if state in ("handed_over", "in_doubt"):
            await settle_in(conn, message["message_id"], Accepted(f"{sid} {status}"), at)
            happened.append("sent")
        elif state != "accepted":
            return True  # it was not to be sent: not ours to say anything of
        if status in HAPPENED:
            happened.append(HAPPENED[status])
        happenings = _happenings(message, happened, code, at)
        await recording.record(conn, plans, happenings, at)
    return True


def _happenings(
    message: Any, happened: Sequence[str], code: str | None, at: datetime
) -> list[Happening]:
    message_id = message["message_id"]
    fields = {"journey": message["journey"], "node": message["node"], "message": message_id}
    return [
        Happening(
            f"sms_{what}",
            at,
            person_id=message["person_id"],
            external_id=f"{what}:{message_id}",
            fields=fields | ({"code": code} if code and what == "bounced" else {}),
        )
        for what in happened
    ]
