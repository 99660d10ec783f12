"""Turns: a message waits until the rates it counts for let it go, before anything is said to the relay.

Buckets are rows that all processes share, and turns are leased from them in blocks: a block is some instants, one
for each message. Nothing is locked or open while somebody waits for theirs; what a process has leased
and does not use is over when its instant is, whether it lives or not. The ledger's last word comes behind the
turn, so a pause, a halt or an abort is not overtaken by who waits.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.rates import Bucket, Rates, turns_of
from caravan.delivery.transport import BeforeContent, Outgoing, Session, Transport, Verdict
from caravan.engage import sql

#: seconds of turns that are leased at once, and that a bucket saves up while nobody takes any
BLOCK = 1.0
#: seconds for which what was claimed may wait for its turns; then it is to be claimed, and looked at, anew
CLAIM_HOLDS = 30.0


class NotYet(RelayUnreachable):
    """Its turn has not come for as long as its claim is good: claim it again."""

    def __init__(self, key: str, wait: float) -> None:
        super().__init__(f"The rate of {key} (setting SEND_RATES) lets it go in {wait:.0f} s")
        #: whether there is room within the time that a fresh claim is good
        self.soon = wait <= CLAIM_HOLDS
        self.retry_after = timedelta(seconds=max(1.0, wait - CLAIM_HOLDS / 2))


@dataclass
class _Lease:
    """Turns of a bucket that this process has: instants of its clock, the next one first."""

    turns: deque[float] = field(default_factory=deque)
    size: int = 1
    leasing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def next(self, pool: Any, bucket: Bucket) -> float:
        """The next turn, which is then taken."""
        async with self.leasing:
            overdue = monotonic() - BLOCK
            if self.turns and self.turns[-1] < overdue:
                self.turns.clear()
                self.size = 1  # there is less to send than was thought
            while self.turns and self.turns[0] < overdue:
                self.turns.popleft()
            if not self.turns:
                await self._lease(pool, bucket)
            return self.turns.popleft()

    async def _lease(self, pool: Any, bucket: Bucket) -> None:
        """A block, twice as large as one that was used up, of a second's turns at most."""
        every = 1 / bucket.per_second
        count = min(self.size, max(1, int(BLOCK / every)))
        wait = await sql.fetchval(
            pool, "lease_turns", key=bucket.key, seconds=count * every, saved=BLOCK
        )
        first = monotonic() + wait
        self.turns.extend(first + number * every for number in range(count))
        self.size = count * 2


class Turns:
    """The turns of one store's buckets that this process has leased."""

    def __init__(self, pool: Any, rates: Rates) -> None:
        self._pool = pool
        self._rates = rates
        self._leases: dict[str, _Lease] = {}

    async def wait(self, message: Outgoing, patience: float) -> None:
        """Wait until a message may leave.

        Raises:
            NotYet: it may not within so many seconds.
        """
        until = monotonic() + patience
        for bucket in self._rates.buckets(message):
            lease = self._leases.setdefault(bucket.key, _Lease())
            turn = await lease.next(self._pool, bucket)
            now = monotonic()
            if turn > max(until, now):
                lease.turns.appendleft(turn)  # for who comes when it is nearer
                raise NotYet(bucket.key, turn - now)
            # it leaves at its first turn; whoever comes behind it waits for the others
            for _ in range(turns_of(message) - 1):
                await lease.next(self._pool, bucket)
            if turn > now:
                await asyncio.sleep(turn - now)


class RatedTransport:
    """A transport whose messages take their turns; of the store whose buckets they are."""

    def __init__(self, transport: Transport, turns: Turns) -> None:
        self._transport = transport
        self._turns = turns

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A conversation for what has just been claimed."""
        async with self._transport.session() as session:
            yield _RatedSession(session, self._turns)


class _RatedSession:
    def __init__(self, session: Session, turns: Turns) -> None:
        self._session = session
        self._turns = turns
        self._until = monotonic() + CLAIM_HOLDS

    async def send(self, message: Outgoing, before_content: BeforeContent) -> Verdict:
        await self._turns.wait(message, max(0.0, self._until - monotonic()))
        return await self._session.send(message, before_content)
