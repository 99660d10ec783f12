"""When a rest ends: of a wait or of a listen's time-out, in the zone of each part of it."""

from dataclasses import dataclass
from datetime import datetime

from caravan.journeys.durations import Span
from caravan.journeys.time import EndsOn, LocalMoment, local_instant, next_slot, shift
from caravan.journeys.zones import Fault, Zones


@dataclass(frozen=True)
class Rest:
    """The instant, and why it is not by the account's own clock where it should be."""

    until: datetime
    fault: Fault | None = None


def rest_until(
    arrived_at: datetime,
    zones: Zones,
    *said: str | None,
    after: Span | None = None,
    until: datetime | LocalMoment | None = None,
    ends_on: EndsOn | None = None,
) -> Rest:
    """When an account that arrived rests no longer; a moment in the past passes at once.

    Args:
        arrived_at: when it came.
        zones: of the account and its journey.
        *said: the zones said of the rest and of its node, narrowest first.
        after: how long.
        until: or to when.
        ends_on: and then on to which slot, which may name a zone of its own.
    """
    end, fault = arrived_at, None
    if after is not None:
        end = shift(arrived_at, after, zones.of(*said))
        # exact durations are the same on every clock
        fault = zones.fault(*said) if after.calendar else None
    elif isinstance(until, LocalMoment):
        end, fault = local_instant(until.local, zones.of(*said)), zones.fault(*said)
    elif until is not None:
        end = until
    if ends_on is not None:
        zone = zones.of(ends_on.zone, *said)
        end = next_slot(max(end, arrived_at), ends_on, zone)
        fault = zones.fault(ends_on.zone, *said) or fault
    return Rest(max(end, arrived_at), fault)
