"""Text messages: what is handed to a provider, and how many messages it is to a network."""

from dataclasses import dataclass
from typing import ClassVar

from caravan.delivery.text_length import segments
from caravan.delivery.transport import Outgoing
from caravan.journeys.actions.base import Carrier


@dataclass(frozen=True)
class TextMessage(Outgoing):
    """A text to a number in E.164; ``envelope_from`` is the number, code or service it is from.

    ``reference`` is what callbacks name it by: its subscription and its number, and nobody at all.
    """

    carrier: ClassVar[Carrier] = "text"

    text: str = ""
    reference: str = ""

    @property
    def segments(self) -> int:
        """What is counted and paid for."""
        return segments(self.text)


def text_message(
    sender: str, to_phone: str, text: str, message_id: str, reference: str
) -> TextMessage:
    """A text ready to go; ``message_id`` is what the ledger knows it by."""
    return TextMessage(sender, to_phone, message_id, text.encode, text, reference)
