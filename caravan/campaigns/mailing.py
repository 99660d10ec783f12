"""What a process needs to send messages."""

from dataclasses import dataclass

from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.links import LinksOf
from caravan.delivery.texts import TextMessage
from caravan.delivery.transport import Outgoing, Transport


@dataclass(frozen=True)
class Mailing:
    """Where messages go; what else sending depends on, and is the operator's to say, comes here."""

    transport: Transport
    links: LinksOf | None = None  # None: there is no gateway to lead to, so there is no tracking
    texts: Transport | None = (
        None  # where text messages go; None: the operator has named no provider
    )

    def carrier(self, message: Outgoing) -> Transport:
        """Who takes a message.

        Raises:
            RelayUnreachable: there is nobody to take it.
        """
        if not isinstance(message, TextMessage):
            return self.transport
        if self.texts is None:
            raise RelayUnreachable(
                "Text messages wait: set SMS_URL, SMS_ACCOUNT, SMS_TOKEN and SMS_FROM"
            )
        return self.texts
