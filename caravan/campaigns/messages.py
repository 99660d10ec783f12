"""The kinds of messages that leave the system: a new one is its own file and a line here.

One that somebody new carries needs that carrier in ``Mailing`` besides. What they share is the ledger and its phases (``mail_claims``, ``mail_hand_over``, ``mail_settling``); what tells
them apart is to whom they go, who may get one, and what one says.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from caravan.campaigns import personal_mail, personal_text, sales_alert
from caravan.campaigns.candidates import Candidate, candidates
from caravan.campaigns.effects import Place
from caravan.campaigns.mailing import Mailing
from caravan.campaigns.visit import Visit
from caravan.delivery.transport import Outgoing
from caravan.journeys.actions import Action
from caravan.journeys.documents.communication_limits import Channel
from caravan.journeys.reasons import SkipReason

#: why each of these may not be written to, by id; None: they may
Reasons = dict[int, SkipReason | None]


@dataclass(frozen=True)
class Noted:
    """What the ledger keeps of a message beside the person it is for."""

    segments: int | None = None
    recipient: str | None = None


@dataclass(frozen=True)
class MessageKind:
    """How one kind is made.

    ``write`` takes the Message-ID and the number in the ledger too, and raises ``DeliveryError`` where the message
    cannot be made of this person's and account's data.
    """

    happens_as: str | None  # what its activities are named for; None: it is nothing that people get
    channel: Callable[
        [Visit, Any], Channel | None
    ]  # whose limits count it; None: it is operational
    recipients: Callable[[Visit, Place, Any], Awaitable[list[Candidate]]]
    reasons: Callable[[Visit, Mailing, Any, Sequence[Candidate]], Awaitable[Reasons]]
    write: Callable[[Visit, Mailing, Any, Candidate, str, int], Awaitable[Outgoing]]
    noted: Callable[[Any], Noted] | None  # None: nothing


MESSAGES: dict[str, MessageKind] = {
    "send_email": MessageKind(
        "email",
        personal_mail.channel,
        candidates,
        personal_mail.reasons,
        personal_mail.write_for_action,
        None,
    ),
    "send_sms": MessageKind(
        "sms",
        personal_text.channel,
        candidates,
        personal_text.reasons,
        personal_text.write,
        lambda text: Noted(segments=text.segments),
    ),
    "send_sales_alert": MessageKind(
        None,
        lambda *_: None,
        sales_alert.recipients,
        sales_alert.reasons,
        sales_alert.write,
        lambda alert: Noted(recipient=alert.recipient),
    ),
}


def kind_of(action: Action) -> MessageKind:
    """The kind of message an action sends."""
    return MESSAGES[action.kind]
