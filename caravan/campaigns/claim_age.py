"""How old a claim may be: what was asked for it (permission, limits, hours) holds for a while, and is then asked anew.

Before a message is announced, and once more when the other side is ready for its content, for a relay may take
minutes from the one to the other. There the rest of the claim is asked again behind its back, and the message goes if
that still says so; so a relay that is always slow is waited for, and is not begun with for ever.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from caravan.campaigns.mail_claims import Claimed, Message
from caravan.campaigns.served import Served
from caravan.campaigns.turns import CLAIM_HOLDS

Again = Callable[[Claimed], Awaitable[Claimed | Served]]


class ClaimAge:
    """The age of a claim, by domain time."""

    def __init__(self, claimed: Claimed, again: Again, now: Callable[[], datetime]) -> None:
        """``again`` claims the same step once more, under the same name."""
        self._again = again
        self._now = now
        self._begin(claimed)

    def _begin(self, claimed: Claimed) -> None:
        self._claimed = claimed
        self._to_send = set(map(_key, claimed.messages))
        self._old_at = self._now() + timedelta(seconds=CLAIM_HOLDS)

    @property
    def is_old(self) -> bool:
        """Whether what was asked holds no more."""
        return self._now() >= self._old_at

    async def still_to_send(self, message: Message) -> bool:
        """Whether a message may be handed over now; one whose address is another now may not."""
        if self.is_old:
            claimed = await self._again(self._claimed)
            if isinstance(claimed, Served):
                return False
            self._begin(claimed)
        return _key(message) in self._to_send


def _key(message: Message) -> tuple[int, int, str]:
    return message.position, message.person_id, message.outgoing.recipient
