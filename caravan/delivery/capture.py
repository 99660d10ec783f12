"""An in-process transport that keeps what it is given: for tests, benchmarks and trials."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from caravan.delivery.transport import Accepted, BeforeContent, Outgoing, Verdict


class CaptureTransport:
    """Accepts everything; ``messages`` are the ones it took, in order."""

    #: what it says to every message
    REPLY = "captured"

    def __init__(self, *, keep: bool = True) -> None:
        self.messages: list[Outgoing] = []
        self.accepted = 0
        self._keep = keep

    @asynccontextmanager
    async def session(self) -> AsyncIterator["CaptureTransport"]:
        yield self

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        await before_content()
        return self.take([message])

    def take(self, messages: Sequence[Outgoing]) -> Accepted:
        """Accept messages at once, whose last word was said before."""
        self.accepted += len(messages)
        if self._keep:
            self.messages += messages
        return Accepted(self.REPLY)
