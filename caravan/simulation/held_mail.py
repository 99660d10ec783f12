"""Mail that was held at its node and goes when its hour has come: the delivery queue, in virtual time."""

from datetime import datetime
from typing import Any

from caravan.campaigns import delivery_queue
from caravan.engage import sql as engage_sql
from caravan.simulation.walking import CLAIMANT, Walker


class HeldMail:
    """Asks the store only where something was held, which most journeys never do."""

    def __init__(self, pool: Any, walker: Walker) -> None:
        self._pool = pool
        self._walker = walker
        self.next: datetime | None = None  # when the next one is due

    async def note(self) -> None:
        """Look at what the last walk has held."""
        if self._walker.held:
            self._walker.held = False
            self.next = await engage_sql.fetchval(self._pool, "next_waiting")

    async def send(self, at: datetime) -> None:
        """Send what is due at this instant."""
        if self.next is None or self.next > at:
            return
        while await delivery_queue.send_some(
            self._pool,
            self._walker.plans,
            self._walker.mailing,
            CLAIMANT,
            lambda: at,
            captured=True,
        ):
            pass
        self.next = await engage_sql.fetchval(self._pool, "next_waiting")
