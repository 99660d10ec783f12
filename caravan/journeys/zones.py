"""Whose clock counts: the zone said at a place, else the next wider one, and ``account`` anywhere.

``zone: account`` means the account's own ``time_zone``. Where that is missing or unknown the next zone
counts as if nothing had been said, and the fault is told.
"""

from dataclasses import dataclass
from typing import Literal

from caravan.journeys.time import known_zone

#: what stands for the account's own zone, and the field that holds it
ACCOUNT, FIELD = "account", "time_zone"

Fault = Literal["no-zone", "unknown-zone"]


@dataclass(frozen=True)
class Zones:
    """The zones of one account in one journey.

    Args:
        journey: the zone that the journey, the workspace or nobody (UTC) names.
        own: what the account says of itself.
        of_account: the journey, or else its workspace, says ``account``.
    """

    journey: str
    own: object = None
    of_account: bool = False

    def of(self, *said: str | None) -> str:
        """The zone at a place, by what is said there, narrowest first."""
        return self._resolved(*said)[0]

    def fault(self, *said: str | None) -> Fault | None:
        """Why the account's own zone does not count though it was asked for."""
        return self._resolved(*said)[1]

    def _resolved(self, *said: str | None) -> tuple[str, Fault | None]:
        fault: Fault | None = None
        for zone in (*said, ACCOUNT if self.of_account else None):
            if zone == ACCOUNT:
                if self.own in (None, ""):
                    fault = "no-zone"
                elif isinstance(self.own, str) and known_zone(self.own):
                    return self.own, None
                else:
                    fault = "unknown-zone"
            elif zone is not None:
                return zone, fault
        return self.journey, fault
