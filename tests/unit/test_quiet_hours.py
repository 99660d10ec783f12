"""Quiet hours and calendar periods: by the clock on the wall, exact also where it jumps."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caravan.journeys.durations import Span
from caravan.journeys.limit_periods import end_of, period_of
from caravan.journeys.quiet_hours import QuietHours, is_dropped, quiet_until
from caravan.journeys.time import WEEKDAYS, wall_clock

STOCKHOLM = "Europe/Stockholm"
ZONES = (
    "UTC",
    STOCKHOLM,
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Havana",
)

instants = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from((0, 15, 30, 59)))
zones = st.sampled_from(ZONES)
spans = st.builds(
    Span, count=st.integers(1, 12), unit=st.sampled_from(("hours", "days", "weeks", "months"))
)


def night(zone: str = STOCKHOLM, **said: object) -> QuietHours:
    return QuietHours.model_validate({"begins": "20:00", "ends": "07:00", "zone": zone, **said})


def until(at: str, *quiet: QuietHours, zone: str = STOCKHOLM) -> str:
    ends = quiet_until(datetime.fromisoformat(at), [(one, zone) for one in quiet])
    return ends.isoformat()


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-03-10T18:59:59+00:00", "2026-03-10T18:59:59+00:00"),  # 19:59:59
        ("2026-03-10T19:00:00+00:00", "2026-03-11T06:00:00+00:00"),  # it begins at 20:00
        ("2026-03-11T05:59:59+00:00", "2026-03-11T06:00:00+00:00"),
        ("2026-03-11T06:00:00+00:00", "2026-03-11T06:00:00+00:00"),  # 07:00 is not quiet
        # the clock goes forward in this night, and back in that
        ("2026-03-28T23:00:00+00:00", "2026-03-29T05:00:00+00:00"),
        ("2026-10-24T21:00:00+00:00", "2026-10-25T06:00:00+00:00"),
    ],
)
def test_night_ends_in_the_morning_of_the_clock(at: str, end: str) -> None:
    assert until(at, night()) == end


def test_weekdays_are_those_of_the_begin() -> None:
    friday = night(weekdays=("fri",))
    assert (
        until("2026-03-14T05:00:00+00:00", friday) == "2026-03-14T06:00:00+00:00"
    )  # Saturday 06:00
    assert until("2026-03-13T05:00:00+00:00", friday) == "2026-03-13T05:00:00+00:00"  # Friday 06:00


def test_whole_days_join_and_a_night_joins_them() -> None:
    weekend = night(begins="00:00", ends="00:00", weekdays=("sat", "sun"))
    assert until("2026-03-14T12:00:00+00:00", weekend) == "2026-03-15T23:00:00+00:00"
    assert until("2026-03-14T12:00:00+00:00", weekend, night()) == "2026-03-16T06:00:00+00:00"


@pytest.mark.parametrize(
    ("begins", "ends", "at", "end"),
    [
        # 02:30 does not exist on this day: it is 03:30
        ("02:30", "04:00", "2026-03-29T01:29:00+00:00", "2026-03-29T01:29:00+00:00"),
        ("02:30", "04:00", "2026-03-29T01:30:00+00:00", "2026-03-29T02:00:00+00:00"),
        # 02:30 comes twice on this day: the first is meant, for the begin and for the end
        ("02:30", "04:00", "2026-10-25T00:30:00+00:00", "2026-10-25T03:00:00+00:00"),
        ("22:00", "02:30", "2026-10-25T00:29:00+00:00", "2026-10-25T00:30:00+00:00"),
        ("22:00", "02:30", "2026-10-25T01:15:00+00:00", "2026-10-25T01:15:00+00:00"),
    ],
)
def test_clock_times_that_do_not_exist_or_come_twice(
    begins: str, ends: str, at: str, end: str
) -> None:
    assert until(at, night(begins=begins, ends=ends)) == end


def test_dropping_goes_before_holding() -> None:
    at = datetime(2026, 3, 10, 21, tzinfo=UTC)
    assert not is_dropped(at, [(night(), STOCKHOLM)])
    assert is_dropped(at, [(night(), STOCKHOLM), (night(otherwise="drop"), STOCKHOLM)])


def test_who_has_no_zone_hears_the_next_wider_one() -> None:
    quiet = night("person", wider=STOCKHOLM)
    assert quiet.zone_for("Asia/Tokyo", "America/New_York") == "Asia/Tokyo"
    assert quiet.zone_for("Asia/Nowhere", "America/New_York") == "America/New_York"
    assert quiet.zone_for(None, None) == STOCKHOLM
    assert night("account", wider=STOCKHOLM).zone_for("Asia/Tokyo", "") == STOCKHOLM
    assert night("UTC").zone_for("Asia/Tokyo", "America/New_York") == "UTC"


@given(at=instants, begins=clocks, ends=clocks, days=st.sets(st.sampled_from(WEEKDAYS)), zone=zones)
@example(datetime(2026, 10, 25, 0, 59, tzinfo=UTC), "02:30", "02:30", {"sat"}, STOCKHOLM)
def test_what_is_held_is_held_to_the_first_moment_that_is_not_quiet(
    at: datetime, begins: str, ends: str, days: set[str], zone: str
) -> None:
    quiet = night(zone, begins=begins, ends=ends, weekdays=tuple(days))
    end = quiet_until(at, [(quiet, zone)])
    if begins == ends and len(days) in (0, 7):
        return  # never not quiet: validation refuses it
    assert quiet.end_after(end, zone) is None
    assert end >= at
    if end > at:
        assert quiet.end_after(at, zone) is not None
        # whatever lies between is quiet, to the last moment
        assert quiet.end_after(end - timedelta(microseconds=1), zone) == end
        for part in range(1, 20):
            assert quiet.end_after(at + (end - at) * part / 20, zone) is not None


@given(at=instants, begins=clocks, ends=clocks, zone=zones)
def test_quiet_is_what_the_clock_on_the_wall_shows_where_it_does_not_jump(
    at: datetime, begins: str, ends: str, zone: str
) -> None:
    day = timedelta(days=1)
    if any(
        wall_clock(at + n * day, zone) - wall_clock(at, zone) != n * day for n in (-2, -1, 1, 2)
    ):
        return
    clock = wall_clock(at, zone).strftime("%H:%M")
    shown = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    quiet = night(zone, begins=begins, ends=ends)
    assert (quiet.end_after(at, zone) is not None) == shown


@given(at=instants, every=spans, zone=zones)
def test_period_ends_after_the_moment_and_the_next_begins_there(
    at: datetime, every: Span, zone: str
) -> None:
    period = period_of(at, every, zone)
    end = end_of(period, every, zone)
    assert end > at
    assert period_of(end, every, zone) == period + 1
    # the moment before its end is in it, but where the clock is set back and shows it once more
    assert period_of(end - timedelta(microseconds=1), every, zone) == period


@pytest.mark.parametrize(
    ("every", "zone", "last", "first"),
    [
        ("1 hours", STOCKHOLM, "2026-03-10T13:59:59+01:00", "2026-03-10T14:00:00+01:00"),
        ("12 hours", STOCKHOLM, "2026-03-10T11:59:59+01:00", "2026-03-10T12:00:00+01:00"),
        ("1 days", STOCKHOLM, "2026-03-29T23:59:59+02:00", "2026-03-30T00:00:00+02:00"),
        ("1 weeks", STOCKHOLM, "2026-03-29T23:59:59+02:00", "2026-03-30T00:00:00+02:00"),  # Monday
        ("1 months", "America/St_Johns", "2026-02-28T23:59:59-03:30", "2026-03-01T00:00:00-03:30"),
        ("3 months", "UTC", "2026-06-30T23:59:59+00:00", "2026-07-01T00:00:00+00:00"),
        ("12 months", "UTC", "2026-12-31T23:59:59+00:00", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_periods_are_those_of_the_calendar(every: str, zone: str, last: str, first: str) -> None:
    count, unit = every.split()
    span = Span.model_validate({"count": count, "unit": unit})
    before, after = (period_of(datetime.fromisoformat(at), span, zone) for at in (last, first))
    assert after == before + 1
    assert end_of(before, span, zone) == datetime.fromisoformat(first)


def test_hour_that_comes_twice_is_one() -> None:
    hour = Span(count=1, unit="hours")
    first, second = (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )
    assert period_of(first, hour, STOCKHOLM) == period_of(second, hour, STOCKHOLM)
