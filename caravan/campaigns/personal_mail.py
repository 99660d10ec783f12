"""One person's mail at one visit: whether they get it, what identifies it, what it says."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from caravan.campaigns import permission, wording
from caravan.campaigns.candidates import Candidate
from caravan.campaigns.effects import Place
from caravan.campaigns.group_tokens import group_token
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.visit import Visit
from caravan.delivery.addresses import mailto
from caravan.delivery.compose import Sender, compose, render
from caravan.delivery.errors import DeliveryError
from caravan.delivery.identity_headers import identity_headers
from caravan.delivery.links import MailLinks
from caravan.delivery.message import message_id
from caravan.delivery.tracking import Rewrite, rewriting
from caravan.delivery.transport import Outgoing
from caravan.journeys.actions.send_email import SendEmail
from caravan.journeys.documents.communication_limits import Channel
from caravan.journeys.plan import Plan
from caravan.journeys.reasons import SkipReason


async def reasons(
    visit: Visit, mailing: Mailing, action: SendEmail, people: Sequence[Candidate]
) -> dict[int, SkipReason | None]:
    """Why these people may not be mailed, by id."""
    operational = not visit.is_marketing(action.template)
    return await permission.may_mail(visit.conn, people, operational)


def channel(visit: Visit, action: SendEmail) -> Channel | None:
    """Whose limits count it: operational mail is not counted."""
    return "email" if visit.is_marketing(action.template) else None


def identity(visit: Visit, position: int, person_id: int) -> str:
    """The Message-ID: derived from what the message is, so every try bears the same.

    The instant of entry tells apart stores that number their traversals alike: mailboxes drop what
    bears an id they have seen.
    """
    traversal, sender = visit.traversal, visit.loaded.plan.sender
    of_visit = (traversal.id, traversal.entered_at, visit.node, visit.number)
    return _identity(*of_visit, position, person_id, sender.email.rpartition("@")[2])


@lru_cache(maxsize=4096)  # who decides, who claims and who writes ask for the same one
def _identity(
    traversal_id: int,
    entered_at: datetime,
    node: str,
    visit: int,
    position: int,
    person_id: int,
    domain: str,
) -> str:
    key = f"{traversal_id}/{entered_at.isoformat()}/{node}/{visit}/{position}/{person_id}"
    return message_id(key, domain)


def can_be_written(
    visit: Visit, mailing: Mailing, place: Place, template: str, person: Candidate
) -> bool:
    """Whether the mail can be made of this person's and account's data."""
    try:
        write(visit, mailing, template, person, identity(visit, place.position, person.id))
    except DeliveryError:
        return False
    return True


async def write_for_action(
    visit: Visit,
    mailing: Mailing,
    action: SendEmail,
    person: Candidate,
    identity: str,
    number: int,
) -> Outgoing:
    """As ``write``, as every kind of message is written."""
    return write(visit, mailing, action.template, person, identity, number)


def write(
    visit: Visit,
    mailing: Mailing,
    template: str,
    person: Candidate,
    identity: str,
    number: int | None = None,
) -> Outgoing:
    """Compose the mail.

    Args:
        template: its slug.
        person: the recipient.
        identity: its Message-ID.
        number: by which its links and a bounce of it name it; without one it has no link to the web and
            returns to its sender.

    Raises:
        UnfitText: it cannot be made of this person's and account's data.
    """
    plan = visit.loaded.plan
    links = mailing.links(visit.traversal.munchkin) if mailing.links and number else None
    tokens = tokens_of(visit, template, person, links, number)
    munchkin, compiled = visit.traversal.munchkin, visit.template(template)
    envelope_from = None
    if mailing.return_path is not None and number is not None:
        envelope_from = mailing.return_path.address(munchkin, number)
    return compose(
        compiled,
        tokens,
        sender=Sender(plan.sender.name, plan.sender.email, plan.sender.reply_to),
        message_id=identity,
        at=visit.as_of,
        to_address=person.attributes["email"],
        unsubscribe_link=tokens["unsubscribe_link"],
        rewrite=_rewrite(visit, template, links, number),
        headers=identity_headers(
            munchkin=munchkin,
            sender=plan.sender,
            journey=visit.traversal.slug,
            template=template,
            operational=compiled.template.operational,
        ),
        envelope_from=envelope_from,
        sign=mailing.sign,
    )


def web_page(visit: Visit, links: MailLinks, template: str, person: Candidate, number: int) -> str:
    """A mail as a web page: its links tell of clicks as those of the mail do; to look at it opens nothing.

    Raises:
        UnfitText: it cannot be made of this person's and account's data any more.
    """
    tokens = tokens_of(visit, template, person, links, number)
    html = render(visit.template(template), tokens).html
    rewrite = _rewrite(visit, template, links, number, opens=False)
    return rewrite(html) if rewrite is not None else html


def tokens_of(
    visit: Visit, template: str, person: Candidate, links: MailLinks | None, number: int | None
) -> dict[str, Any]:
    """What a mail may speak of."""
    plan = visit.loaded.plan
    leading = ways_out(plan, links, number)
    return (
        wording.context(visit, person.attributes)
        | {"postal_address": plan.postal_address, **leading}
        | group_token(visit, visit.template(template).template, person.id)
    )


def ways_out(plan: Plan, links: MailLinks | None, number: int | None) -> dict[str, str | None]:
    """Where a mail's own links lead; without a gateway it is left by mail, and is no web page."""
    if links is None or number is None:
        address = plan.sender.reply_to or plan.sender.email
        return {"unsubscribe_link": mailto(address, "unsubscribe"), "view_link": None}
    return {"unsubscribe_link": links.unsubscribe(number), "view_link": links.view(number)}


def _rewrite(
    visit: Visit, template: str, links: MailLinks | None, number: int | None, *, opens: bool = True
) -> Rewrite | None:
    if links is None or number is None:
        return None
    front = visit.template(template).template
    return rewriting(
        links,
        number,
        opens=opens and front.track_opens,
        clicks=front.track_clicks,
        plain=(links.unsubscribe(number), links.view(number)),
    )
