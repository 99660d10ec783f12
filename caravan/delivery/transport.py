"""How a message is handed over: one session for the people of a node, one verdict a message."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

from caravan.journeys.actions.base import Carrier

#: awaited once, when the other side is ready for the message and before its final dot can leave
BeforeContent = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Outgoing:
    """A message ready to go.

    It is rendered and cannot fail any more; as bytes it is written when somebody wants those, which
    nobody does in virtual time.
    """

    #: who takes it
    carrier: ClassVar[Carrier] = "mail"

    envelope_from: str
    recipient: str
    message_id: str
    write: Callable[[], bytes]

    @cached_property
    def content(self) -> bytes:
        """The message as bytes with CRLF line ends, written once."""
        return self.write()


@dataclass(frozen=True)
class Accepted:
    """The relay took responsibility."""

    reply: str


@dataclass(frozen=True)
class Refused:
    """A definite no (5xx)."""

    code: int
    reply: str


@dataclass(frozen=True)
class Deferred:
    """Not now (4xx for this recipient or message)."""

    code: int
    reply: str


@dataclass(frozen=True)
class InDoubt:
    """Everything was sent and no answer came: it may have been delivered (RFC 1047)."""

    detail: str


Verdict = Accepted | Refused | Deferred | InDoubt


class Session(Protocol):
    """One conversation with the other side."""

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        """Hand one message over.

        Raises:
            RelayUnreachable: nothing was handed over.
        """
        ...


class Transport(Protocol):
    def session(self) -> AbstractAsyncContextManager[Session]:
        """A new conversation; connecting may wait until the first message."""
        ...
