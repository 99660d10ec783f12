"""Quiet hours at send time: whose message waits until when, and whose is dropped."""

from collections.abc import Sequence
from datetime import datetime

from caravan.campaigns.candidates import Candidate
from caravan.campaigns.visit import Visit
from caravan.journeys.quiet_hours import is_dropped, quiet_until
from caravan.journeys.zones import FIELD


def quiet_for(visit: Visit, people: Sequence[Candidate]) -> dict[int, datetime | None]:
    """For those among these people for whom it is quiet now: until when; None: it is dropped."""
    quiet_hours = visit.traversal.limits.quiet_hours
    if not quiet_hours:
        return {}
    at = visit.as_of
    found: dict[int, datetime | None] = {}
    for person in people:
        own, account = person.attributes.get(FIELD), visit.account.get(FIELD)
        heard = [(quiet, quiet.zone_for(own, account)) for quiet in quiet_hours]
        if is_dropped(at, heard):
            found[person.id] = None
        elif (until := quiet_until(at, heard)) > at:
            found[person.id] = until
    return found
