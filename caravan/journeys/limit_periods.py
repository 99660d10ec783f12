"""Calendar periods: which one a moment lies in, and when it is over. Pure.

Periods are those of the local calendar and number themselves: blocks of so many hours, days, weeks or months,
counted from 1 January 1970 (weeks from Monday, 5 January), whatever the document was applied on. So a period
of 1, 2, 3, 4, 6, 8 or 12 hours begins at midnight, one of 3 months with a quarter, and two processes never
disagree. Hours are those of the clock on the wall: one that daylight saving repeats is one hour.
"""

from datetime import date, datetime, timedelta

from caravan.journeys.durations import Span
from caravan.journeys.time import local_instant, wall_clock

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a local time, of whatever zone
_FIRST_MONDAY = datetime(1970, 1, 5)  # noqa: DTZ001
_LENGTHS = {"hours": timedelta(hours=1), "days": timedelta(days=1), "weeks": timedelta(weeks=1)}


def period_of(at: datetime, every: Span, zone: str) -> int:
    """The number of the period a moment lies in."""
    local = wall_clock(at, zone)
    if every.unit == "months":
        return ((local.year - 1970) * 12 + local.month - 1) // every.count
    return (local - _begin(every)) // (_LENGTHS[every.unit] * every.count)


def end_of(period: int, every: Span, zone: str) -> datetime:
    """The moment at which a period is over."""
    if every.unit == "months":
        months = (period + 1) * every.count
        local = datetime.combine(date(1970 + months // 12, months % 12 + 1, 1), _EPOCH.time())
    else:
        local = _begin(every) + (period + 1) * _LENGTHS[every.unit] * every.count
    return local_instant(local.isoformat(), zone)


def _begin(every: Span) -> datetime:
    return _FIRST_MONDAY if every.unit == "weeks" else _EPOCH
