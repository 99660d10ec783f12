"""One person's text message: whether they get it, and what it says."""

from collections.abc import Sequence

from caravan.campaigns import permission, wording
from caravan.campaigns.candidates import Candidate
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.visit import Visit
from caravan.delivery.errors import UnfitText
from caravan.delivery.texts import TextMessage, text_message
from caravan.journeys.actions.send_sms import LONGEST_SMS, SendSms
from caravan.journeys.documents.communication_limits import Channel
from caravan.journeys.reasons import SkipReason
from caravan.journeys.suppressing import phone_key


async def reasons(
    visit: Visit, mailing: Mailing, action: SendSms, people: Sequence[Candidate]
) -> dict[int, SkipReason | None]:
    """Why these people may not be texted, by id; who has said nothing has not agreed (product.md §5.6)."""
    return await permission.may_text(visit.conn, people, action.operational)


def channel(visit: Visit, action: SendSms) -> Channel | None:
    """Whose limits count it: operational texts are not counted."""
    return None if action.operational else "sms"


async def write(
    visit: Visit,
    mailing: Mailing,
    action: SendSms,
    person: Candidate,
    identity: str,
    number: int,
) -> TextMessage:
    """Write the text.

    Raises:
        UnfitText: it cannot be made of this person's and account's data, or came out empty or too long.
    """
    text = wording.text(visit, action.text, person.attributes).strip()
    if not 0 < len(text) <= LONGEST_SMS:
        raise UnfitText(f"a text message has 1 to {LONGEST_SMS} characters, this one {len(text)}")
    phone = phone_key(person.attributes["mobile_phone"])
    assert phone is not None  # else they were left out
    reference = f"{visit.traversal.munchkin}/{number}"
    return text_message(mailing.texts_from, phone, text, identity, reference)
