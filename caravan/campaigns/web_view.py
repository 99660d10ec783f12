"""A message as a web page: rendered anew with the version and the copy it was sent with, and today's data.

Only what left is shown, and only while its person's data is here. No lock is taken and nothing is written.
"""

from typing import Any

from caravan.campaigns import personal_mail
from caravan.campaigns.plans import Copy, PlanCache
from caravan.campaigns.visit import Traversal, Visit
from caravan.delivery.compose import compile_body
from caravan.delivery.errors import DeliveryError
from caravan.delivery.links import MailLinks
from caravan.engage import sql
from caravan.journeys.templates import TemplateDocument


async def web_view(
    pool: Any, plans: PlanCache, links: MailLinks, message_number: int
) -> str | None:
    """The HTML of a message; None where there is nothing to show any more."""
    row = await sql.fetchrow(pool, "message_shown", number=message_number)
    if row is None:
        return None
    visit = await _visit(pool, plans, row)
    try:
        return personal_mail.web_page(visit, links, row["template"], row["person"], message_number)
    except DeliveryError:
        return None


async def _visit(pool: Any, plans: PlanCache, row: Any) -> Visit:
    """The visit that the message was written at."""
    copies = {}
    if row["copied"] is not None:
        document = TemplateDocument.model_validate(row["copied"])
        copies[row["template"]] = Copy(row["copy"], compile_body(document))
    return Visit(
        conn=pool,
        plans=plans,
        loaded=await plans.load(pool, row["plan_hash"]),
        traversal=Traversal(
            id=row["traversal_id"],
            journey_id=row["journey_id"],
            slug=row["slug"],
            version=row["version"],
            account_id=row["account_id"],
            entry=row["entry"],
            entered_at=row["entered_at"],
            epoch=row["epoch"],
            deadline=row["deadline"],
            plan_hash=row["plan_hash"],
            munchkin=row["munchkin"],
            copies=copies,
        ),
        account=row["account"],
        node=row["node"],
        number=row["visit"],
        arrived_at=row["claimed_at"],
        as_of=row["claimed_at"],
    )
