"""Somebody wants no more mail: their field, the way up to the Platform, and the activity, in one transaction."""

from datetime import datetime
from typing import Any, Literal

from caravan.campaigns import consents, recording
from caravan.campaigns.mail_events import about
from caravan.campaigns.plans import PlanCache
from caravan.engage import sql
from caravan.engage.happening import Happening

#: how they said so: with the button of the page, or of their mail program (RFC 8058)
Source = Literal["page", "one-click"]


async def unsubscribe(
    pool: Any, plans: PlanCache, message_number: int, source: Source, at: datetime
) -> bool:
    """Unsubscribe the person a message was for; who is already is left as they are.

    Returns:
        Whether there is such a message, of somebody whose data is still here.
    """
    async with pool.acquire() as conn, conn.transaction():
        message = await sql.fetchrow(conn, "messages_followed", numbers=[message_number])
        if message is None:
            return False
        person_id = message["person_id"]
        # accounts before people, as whoever serves a traversal; and who says it twice at once takes turns
        await sql.fetch(conn, "share_accounts_touched", person_ids=[person_id], account_ids=[])
        await sql.execute(conn, "lock_people", ids=[person_id])
        changed = await consents.set_fields(
            conn, plans, [person_id], {"unsubscribed": True}, source=f"unsubscribe {source}", at=at
        )
        if changed:
            said = Happening(
                "email_unsubscribed",
                at,
                person_id=person_id,
                fields=about(message) | {"source": source},
            )
            await recording.record(conn, plans, [said], at)
        return True
