"""Quiet hours: whether a moment lies in one, and when the quiet that holds then is over. Pure.

A quiet period begins on its weekdays at ``begins`` of the local clock and ends at ``ends``, of the same day
or, where that is not later, of the next. Both ends are instants, by the rules of ``time.py`` for local times
that daylight saving skips or repeats; the begin is quiet, the end is not.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict

from caravan.journeys.time import WEEKDAYS, ClockTime, Weekday, days_around, local_instant
from caravan.journeys.zones import ACCOUNT, Zones

#: what stands for the person's own zone
PERSON = "person"
#: so often is the end of one quiet the begin of another before we call it endless; then it is asked again
MOST_IN_A_ROW = 21

Otherwise = Literal["hold", "drop"]


class QuietHours(BaseModel):
    """When nobody is to be disturbed, and what becomes of a message then."""

    model_config = ConfigDict(frozen=True)

    begins: ClockTime
    ends: ClockTime
    weekdays: tuple[Weekday, ...] = ()  # those on which it begins; any if none is named
    zone: str  # a name, `person` or `account`
    wider: str = "UTC"  # of the document: for who has no zone
    otherwise: Otherwise = "hold"

    def zone_for(self, person: object, account: object) -> str:
        """Whose clock counts: the person's, else their account's, else the document's.

        Args:
            person: what the person says of their own time zone; what names none counts as nothing.
            account: what the account says.
        """
        of_account = Zones(self.wider, account).of(ACCOUNT)
        if self.zone == PERSON:
            return Zones(of_account, person).of(ACCOUNT)
        return of_account if self.zone == ACCOUNT else self.zone

    def end_after(self, at: datetime, zone: str) -> datetime | None:
        """When the quiet that holds at this moment ends; None where none does."""
        # days that begin two days earlier: a zone may skip a whole one
        days = days_around(at, zone, before=2, after=1)
        ends = []
        for day, next_day in pairwise(days):
            if self.weekdays and WEEKDAYS[day.weekday()] not in self.weekdays:
                continue
            begin = local_instant(f"{day}T{self.begins}:00", zone)
            last = day if self.ends > self.begins else next_day
            end = local_instant(f"{last}T{self.ends}:00", zone)
            if begin <= at < end:
                ends.append(end)
        return max(ends, default=None)


#: quiet hours with the zone that counts for somebody
Heard = tuple[QuietHours, str]


def quiet_until(at: datetime, heard: Iterable[Heard]) -> datetime:
    """The first moment from ``at`` on at which no quiet holds; ``at`` itself where none does now."""
    heard = tuple(heard)
    for _ in range(MOST_IN_A_ROW):
        ends = [end for quiet, zone in heard if (end := quiet.end_after(at, zone)) is not None]
        if not ends:
            break
        at = max(ends)
    return at


def is_dropped(at: datetime, heard: Iterable[Heard]) -> bool:
    """Whether a quiet holds at this moment that has messages dropped."""
    return any(
        quiet.otherwise == "drop" and quiet.end_after(at, zone) is not None for quiet, zone in heard
    )
