"""What a process needs to send messages."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from caravan.campaigns.alert_prose import AlertProse, Summarise
from caravan.campaigns.turns import RatedTransport, Turns
from caravan.delivery.allowed_recipients import AllowedRecipients
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.links import LinksOf
from caravan.delivery.rates import Rates
from caravan.delivery.return_path import ReturnPath
from caravan.delivery.transport import Outgoing, Transport


@dataclass(frozen=True)
class Mailing:
    """Where messages go; what else sending depends on, and is the operator's to say, comes here."""

    transport: Transport
    links: LinksOf | None = None  # None: there is no gateway to lead to, so there is no tracking
    withheld: str | None = None  # why marketing mail is not to leave, where it is not
    allowed: AllowedRecipients | None = None  # None: everybody
    return_path: ReturnPath | None = None  # None: a message returns to its sender's address
    sign: Callable[[bytes], bytes] | None = None  # None: whoever relays it signs, or nobody
    rates: Rates | None = None  # None: as fast as it goes
    texts: Transport | None = None  # None: the operator has named no provider
    summarise: Summarise | None = None  # None: sales alerts tell the facts alone
    alert_prose: AlertProse | None = None  # of one send
    texts_from: str = ""  # the number, code or service that texts are from
    _turns: dict[Any, Turns] = field(default_factory=dict, repr=False, compare=False)

    def for_store(self, pool: Any) -> Self:
        """The same for the messages of one store, whose rates all its processes share."""
        if self.rates is None:
            return self
        turns = self._turns.setdefault(pool, Turns(pool, self.rates))
        texts = RatedTransport(self.texts, turns) if self.texts is not None else None
        return replace(self, transport=RatedTransport(self.transport, turns), texts=texts)

    def carrier(self, message: Outgoing) -> Transport:
        """Who takes a message.

        Raises:
            RelayUnreachable: there is nobody to take it.
        """
        if message.carrier == "mail":
            return self.transport
        if self.texts is None:
            raise RelayUnreachable(
                "Text messages wait: set SMS_URL, SMS_ACCOUNT, SMS_TOKEN and SMS_FROM"
            )
        return self.texts
