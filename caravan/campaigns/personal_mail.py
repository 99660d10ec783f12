"""One person's mail at one visit: what identifies it, what it says."""

from caravan.campaigns import wording
from caravan.campaigns.effects import Candidate, Place
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.visit import Visit
from caravan.delivery.addresses import mailto
from caravan.delivery.compose import Sender, compose
from caravan.delivery.errors import DeliveryError
from caravan.delivery.message import message_id
from caravan.delivery.transport import Outgoing


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
