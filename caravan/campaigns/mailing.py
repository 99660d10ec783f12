"""What a process needs to send mail."""

from dataclasses import dataclass

from caravan.delivery.transport import Transport


@dataclass(frozen=True)
class Mailing:
    """Where messages go; what else sending depends on, and is the operator's to say, comes here."""

    transport: Transport
