"""One person's mail at one visit: whether they get it, what identifies it, what it says."""

from collections.abc import Sequence

from caravan.campaigns import permission, wording
from caravan.campaigns.effects import Candidate, Place
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.visit import Visit
from caravan.delivery.addresses import mailto
from caravan.delivery.compose import Sender, compose
from caravan.delivery.errors import DeliveryError
from caravan.delivery.message import message_id
from caravan.delivery.transport import Outgoing
from caravan.journeys.actions.send_email import SendEmail


async def reasons(
    visit: Visit, mailing: Mailing, action: SendEmail, people: Sequence[Candidate]
) -> dict[int, str | None]:
    """Why these people may not be mailed, by id."""
    operational = visit.loaded.plan.templates[action.template].operational
    return await permission.may_mail(visit.conn, people, operational)


def identity(visit: Visit, position: int, person_id: int) -> str:
    """The Message-ID: derived from what the message is, so every try bears the same.

    The instant of entry tells apart stores that number their traversals alike: mailboxes drop what
    bears an id they have seen.
    """
    traversal = visit.traversal
    key = (
        f"{traversal.id}/{traversal.entered_at.isoformat()}"
        f"/{visit.node}/{visit.number}/{position}/{person_id}"
    )
    return message_id(key, visit.loaded.plan.sender.email.rpartition("@")[2])


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
    visit: Visit, mailing: Mailing, action: SendEmail, person: Candidate, identity: str
) -> Outgoing:
    """As ``write``, as every kind of message is written."""
    return write(visit, mailing, action.template, person, identity)


def write(
    visit: Visit, mailing: Mailing, template: str, person: Candidate, identity: str
) -> Outgoing:
    """Compose the mail.

    Raises:
        UnfitText: it cannot be made of this person's and account's data.
    """
    plan = visit.loaded.plan
    unsubscribe = mailto(plan.sender.reply_to or plan.sender.email, "unsubscribe")
    tokens = wording.context(visit, person.attributes) | {
        "postal_address": plan.postal_address,
        "unsubscribe_link": unsubscribe,
        "view_link": None,
    }
    return compose(
        visit.template(template),
        tokens,
        sender=Sender(plan.sender.name, plan.sender.email, plan.sender.reply_to),
        message_id=identity,
        at=visit.as_of,
        to_address=person.attributes["email"],
        unsubscribe_link=unsubscribe,
    )
