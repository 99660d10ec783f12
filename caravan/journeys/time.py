"""Domain time: durations on the local clock, slots, and the instants at which rests end.

Seconds, minutes and hours are exact; days, weeks and months keep the local clock time. A local time
that daylight saving skips moves forward by the gap; one that occurs twice means the first. All
instants in and out are aware datetimes in UTC.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from whenever import Instant, PlainDateTime, ZonedDateTime, reset_tzpath

from caravan.journeys.durations import Span

# the tzdata package alone: two machines must not disagree about when a wait ends
reset_tzpath(())

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
ZoneName = str

#: a moment beyond these is one of these: no duration and no stored date ends in an error
EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LATEST = datetime(9990, 1, 1, tzinfo=UTC)

_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600}


class EndsOn(BaseModel):
    """The first slot at or after a moment: weekdays (any if absent) at a clock time (00:00)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weekdays: tuple[Weekday, ...] = ()
    at: ClockTime = "00:00"
    zone: ZoneName | None = None


class LocalMoment(BaseModel):
    """A local date and time, read in the zone that applies."""

    model_config = ConfigDict(frozen=True)

    local: str  # YYYY-MM-DDTHH:MM[:SS]


def shift(at: datetime, span: Span, zone: str) -> datetime:
    """``at`` moved by a duration, on the local clock of ``zone`` where the unit is a calendar one."""
    try:
        moved = _shifted(at, span, zone)
    except (ValueError, OverflowError):
        return LATEST if span.count > 0 else EARLIEST
    return min(max(moved, EARLIEST), LATEST)


def _shifted(at: datetime, span: Span, zone: str) -> datetime:
    if span.unit in _SECONDS:
        return at + timedelta(seconds=span.count * _SECONDS[span.unit])
    local = _zoned(at, zone)
    match span.unit:
        case "days":
            moved = local.add(days=span.count, disambiguation="compatible")
        case "weeks":
            moved = local.add(days=7 * span.count, disambiguation="compatible")
        case _:
            moved = local.add(months=span.count, disambiguation="compatible")
    return _utc(moved)


def local_day(at: datetime, zone: str) -> date:
    """The date on the calendar of ``zone``."""
    day = _zoned(at, zone).date()
    return date(day.year, day.month, day.day)


def wall_clock(at: datetime, zone: str) -> datetime:
    """What clock and calendar of ``zone`` show, as a datetime without a zone."""
    return datetime.fromisoformat(_zoned(at, zone).to_plain().format_iso())


def days_around(at: datetime, zone: str, *, before: int, after: int) -> list[date]:
    """The dates of the calendar of ``zone`` around the one ``at`` falls on, it included."""
    today = local_day(at, zone)
    return [today + timedelta(days=number) for number in range(-before, after + 1)]


def next_slot(at: datetime, ends_on: EndsOn, zone: str) -> datetime:
    """The first slot at or after ``at``, compared as an instant, on the clock of ``zone``."""
    hour, minute = map(int, ends_on.at.split(":"))
    day = _zoned(at, zone).date()
    wanted = {WEEKDAYS.index(name) + 1 for name in ends_on.weekdays} or set(range(1, 8))
    # today's slot may be past, so up to a week and a day; the day before for zones' odd midnights
    day = day.subtract(days=1)
    while True:
        if day.day_of_week().value in wanted:
            slot = _utc(PlainDateTime(day.year, day.month, day.day, hour, minute), zone)
            if slot >= at:
                return slot
        day = day.add(days=1)


def on_the_clock(at: datetime, clock: ClockTime, zone: str) -> datetime:
    """That clock time of the day ``at`` falls on."""
    day = _zoned(at, zone).date()
    hour, minute = map(int, clock.split(":"))
    return _utc(PlainDateTime(day.year, day.month, day.day, hour, minute), zone)


def stored_moment(value: str, zone: str) -> datetime | None:
    """A stored date (its local midnight) or instant; None where the data is neither."""
    try:
        written = datetime.fromisoformat(value)
        if written.tzinfo is None:
            instant = _utc(PlainDateTime.parse_iso(written.isoformat()), zone)
        else:
            instant = written.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return min(max(instant, EARLIEST), LATEST)


def local_instant(local: str, zone: str) -> datetime:
    """A written local time as an instant."""
    return _utc(PlainDateTime.parse_iso(local), zone)


def known_zone(name: str) -> bool:
    """Whether a zone exists in the pinned tz database."""
    try:
        Instant.from_utc(2026, 1, 1).to_tz(name)
    except (ValueError, OSError):
        return False
    return True


def _zoned(at: datetime, zone: str) -> ZonedDateTime:
    return _instant(at).to_tz(zone)


def _instant(at: datetime) -> Instant:
    return Instant.from_timestamp(_nanos(at), unit="nanosecond")


def _nanos(at: datetime) -> int:
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def _utc(local: ZonedDateTime | PlainDateTime, zone: str | None = None) -> datetime:
    if isinstance(local, PlainDateTime):
        assert zone is not None
        local = local.assume_tz(zone, disambiguation="compatible")
    nanos = local.timestamp(unit="nanosecond")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanos // 1_000)
