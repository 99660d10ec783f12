"""A message as a web page: rendered anew with the version and the copy it was sent with, and today's data.

Only what left is shown, and only while its person's data is here. No lock is taken and nothing is written.
"""

from typing import Any

from caravan.campaigns import personal_mail
from caravan.campaigns.candidates import Candidate
from caravan.campaigns.group_tokens import with_group
from caravan.campaigns.plans import PlanCache
from caravan.campaigns.visit import Traversal, Visit
from caravan.delivery.errors import DeliveryError
from caravan.delivery.links import MailLinks
from caravan.engage import sql


async def web_view(
    pool: Any, plans: PlanCache, links: MailLinks, message_number: int
) -> str | None:
    """The HTML of a message; None where there is nothing to show any more."""
    row = await sql.fetchrow(pool, "message_shown", number=message_number)
    if row is None:
        return None
    visit = await _visit(pool, plans, row)
    if row["template"] not in visit.loaded.plan.templates:
        return None  # of before versions were noted, and its account has moved since
    try:
        visit = await with_group(visit, row["template"])
        person = Candidate(row["person_id"], row["person"])
        return personal_mail.web_page(visit, links, row["template"], person, message_number)
    except DeliveryError:
        return None


async def sender_of(pool: Any, plans: PlanCache, message_number: int) -> str | None:
    """Whose mail a message is, as its recipient knows them; None where there is no such message any more."""
    row = await sql.fetchrow(pool, "message_shown", number=message_number)
    if row is None:
        return None
    sender = (await plans.load(pool, row["plan_hash"])).plan.sender
    return sender.name or sender.email.rpartition("@")[2] or "this sender"


async def _visit(pool: Any, plans: PlanCache, row: Any) -> Visit:
    """The visit that the message was written at."""
    copies = {}
    if row["copy"] is not None:
        copies[row["template"]] = await plans.copy(pool, row["journey_id"], row["copy"])
    return Visit(
        conn=pool,
        plans=plans,
        loaded=await plans.load(pool, row["plan_hash"]),
        traversal=Traversal.of(row, copies),
        account=row["account"],
        node=row["node"],
        number=row["visit"],
        arrived_at=row["claimed_at"],
        as_of=row["claimed_at"],
    )
