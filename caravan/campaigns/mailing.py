"""What a process needs to send mail."""

from collections.abc import Callable
from dataclasses import dataclass

from caravan.delivery.allowed_recipients import AllowedRecipients
from caravan.delivery.return_path import ReturnPath
from caravan.delivery.transport import Transport


@dataclass(frozen=True)
class Mailing:
    """Where messages go; what else sending depends on, and is the operator's to say, comes here."""

    transport: Transport
    allowed: AllowedRecipients | None = None  # None: everybody
    return_path: ReturnPath | None = None  # None: a message returns to its sender's address
    sign: Callable[[bytes], bytes] | None = None  # None: whoever relays it signs, or nobody
