"""What a process needs to send messages."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.links import LinkKeys, LinksOf, links_of
from caravan.delivery.smtp import LOOPBACK, SmtpTransport
from caravan.delivery.texts import TextMessage
from caravan.delivery.transport import Outgoing, Transport


@dataclass(frozen=True)
class Mailing:
    """Where messages go; what else sending depends on, and is the operator's to say, comes here."""

    transport: Transport
    links: LinksOf | None = None  # None: there is no gateway to lead to, so there is no tracking
    withheld: str | None = None  # why marketing mail is not to leave, where it is not
    # where text messages go; None: the operator has named no provider
    texts: Transport | None = None

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

    @classmethod
    def by_smtp(cls, smtp_url: str, public_url: str, link_keys: str) -> Self:
        """What the settings SMTP_URL, PUBLIC_URL and LINK_KEYS come to; the last two may be empty.

        Marketing mail does not leave this machine without a way out that leads to the gateway: a
        `mailto:` is read by a person, if at all, and mailboxes ask for one click (RFC 8058).

        Raises:
            ValueError: a setting is wrong; says which.
        """
        transport = SmtpTransport(smtp_url)
        links = (
            links_of(public_url, LinkKeys.parse(link_keys)) if public_url and link_keys else None
        )
        if transport.host in LOOPBACK:
            return cls(transport, links)
        if not public_url:
            why = "PUBLIC_URL is not set"
        elif urlsplit(public_url).hostname in LOOPBACK:
            why = f"PUBLIC_URL is {public_url}, which nobody outside this machine can follow"
        elif not link_keys:
            why = "LINK_KEYS is not set"
        else:
            return cls(transport, links)
        return cls(
            transport,
            links,
            f"{why}: marketing mail is kept from {transport.host} until its links lead to a gateway. "
            "Set PUBLIC_URL to the address that `caravan gateway` has for the outside, and LINK_KEYS",
        )
