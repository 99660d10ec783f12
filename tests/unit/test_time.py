"""Time is right: durations, slots, daylight saving.

What the code does with ``whenever`` is done again here, naively, with the standard library.
"""

import calendar
import zoneinfo
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caravan.journeys.durations import parse_duration
from caravan.journeys.nodes.listen import (
    Listen,
    ListenEvent,
    Timeout,
    listen_deadline,
    look_back_start,
)
from caravan.journeys.nodes.wait import FieldMoment, Wait
from caravan.journeys.nodes.wait import wait_until as rest_of
from caravan.journeys.time import (
    EARLIEST,
    LATEST,
    WEEKDAYS,
    EndsOn,
    LocalMoment,
    local_day,
    next_slot,
    shift,
)
from caravan.journeys.zones import Zones

# the same time zones as the code: those of the tzdata package, not the machine's
zoneinfo.reset_tzpath(to=())
ZoneInfo.clear_cache()

ZONES = [
    "UTC", "Europe/Stockholm", "America/New_York", "America/Los_Angeles", "Pacific/Auckland",
    "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca",
]  # fmt: skip
#: moments at which some of these zones skip or repeat local time, or a whole day
CHANGES = [
    datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1), datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6),
    datetime(2026, 3, 8, 10), datetime(2026, 11, 1, 9), datetime(2026, 4, 4, 14), datetime(2026, 9, 26, 14),
    datetime(2026, 4, 4, 15), datetime(2026, 10, 3, 15, 30), datetime(2026, 3, 8, 5, 30), datetime(2011, 12, 30, 10),
    datetime(2026, 2, 15, 2), datetime(2026, 3, 22, 2), datetime(2024, 2, 29), datetime(2026, 1, 31, 12),
]  # fmt: skip
instants = (
    st.datetimes(datetime(1995, 1, 1), datetime(2060, 1, 1))
    | st.builds(
        lambda change, minutes: change + timedelta(minutes=minutes),
        st.sampled_from(CHANGES),
        st.integers(-3000, 3000),
    )
    | st.sampled_from(CHANGES)
).map(lambda d: d.replace(tzinfo=UTC))
slots = st.builds(
    EndsOn,
    weekdays=st.lists(st.sampled_from(WEEKDAYS), unique=True).map(tuple),
    at=st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.integers(0, 59)),
)


def at(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def wait_until(wait: Wait, arrived: datetime, zone: str, value: str | None) -> datetime:
    return rest_of(wait, arrived, Zones(zone), value).until


def naive(local: datetime, zone: str) -> datetime:
    """A local time as an instant: a skipped one moves on by the gap, of a doubled one the first."""
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


@given(instants, slots, st.sampled_from(ZONES))
def test_slot_is_the_first_of_all_slots_not_before_the_moment(
    moment: datetime, slot: EndsOn, zone: str
) -> None:
    first = moment.astimezone(ZoneInfo(zone)).date() - timedelta(days=2)
    days = [first + timedelta(days=number) for number in range(12)]
    hour, minute = map(int, slot.at.split(":"))
    every = [
        naive(datetime(day.year, day.month, day.day, hour, minute), zone)
        for day in days
        if not slot.weekdays or WEEKDAYS[day.weekday()] in slot.weekdays
    ]
    assert next_slot(moment, slot, zone) == min(one for one in every if one >= moment)


@given(
    instants,
    st.integers(-400, 400).filter(bool),
    st.sampled_from(["seconds", "minutes", "hours", "days", "weeks", "months"]),
    st.sampled_from(ZONES),
)
@example(datetime(2026, 3, 28, 1, 30, tzinfo=UTC), 1, "days", "Europe/Stockholm")
@example(datetime(2026, 10, 24, 0, 30, tzinfo=UTC), 1, "days", "Europe/Stockholm")
@example(datetime(2011, 12, 29, 20, tzinfo=UTC), 1, "days", "Pacific/Apia")
@example(datetime(2026, 3, 31, 12, tzinfo=UTC), -1, "months", "UTC")
def test_duration_moves_a_moment_on_the_local_clock(
    moment: datetime, count: int, unit: str, zone: str
) -> None:
    span = parse_duration(f"{count} {unit}", signed=True)
    assert span is not None
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if unit in ("seconds", "minutes", "hours"):
        expected = moment + timedelta(**{unit: count})
    elif unit == "months":
        year, month = divmod(local.year * 12 + local.month - 1 + count, 12)
        last = calendar.monthrange(year, month + 1)[1]
        expected = naive(local.replace(year=year, month=month + 1, day=min(local.day, last)), zone)
    else:
        expected = naive(local + timedelta(**{unit: count}), zone)
    assert shift(moment, span, zone) == expected
    if count > 0:
        assert wait_until(Wait(for_=span), moment, zone, None) == max(expected, moment)


@given(instants, st.sampled_from(ZONES))
def test_the_local_day_is_that_of_the_zones_clock(moment: datetime, zone: str) -> None:
    assert local_day(moment, zone) == moment.astimezone(ZoneInfo(zone)).date()


@pytest.mark.parametrize(
    ("slot", "enters", "leaves"),
    [
        (EndsOn(at="09:00"), "2026-06-01T11:00", "2026-06-02T09:00"),
        (EndsOn(at="09:00"), "2026-06-01T07:00", "2026-06-01T09:00"),
        (EndsOn(weekdays=("tue",)), "2026-06-05T15:00", "2026-06-09T00:00"),
        (EndsOn(weekdays=("mon", "tue", "wed", "thu", "fri"), at="10:00"), "2026-06-06T14:00", "2026-06-08T10:00"),
        (EndsOn(weekdays=("mon", "tue", "wed", "thu", "fri"), at="10:00"), "2026-06-03T08:00", "2026-06-03T10:00"),
    ],
)  # fmt: skip
def test_the_five_rows_of_the_specification(slot: EndsOn, enters: str, leaves: str) -> None:
    zone = "Europe/Stockholm"
    assert next_slot(at(enters, zone), slot, zone) == at(leaves, zone)


@pytest.mark.parametrize(
    ("zone", "moment", "slot", "expected"),
    [
        ("America/New_York", "2026-03-07T20:00", EndsOn(at="09:00"), "2026-03-08T09:00"),
        ("Europe/Berlin", "2026-10-24T20:00", EndsOn(at="09:00"), "2026-10-25T09:00"),
        ("Europe/Stockholm", "2026-03-28T22:00", EndsOn(at="09:00"), "2026-03-29T09:00"),
        ("Europe/Stockholm", "2026-03-28T22:00", EndsOn(at="02:30"), "2026-03-29T03:30"),
        ("Europe/Stockholm", "2026-10-24T22:00", EndsOn(at="02:30"), "2026-10-25T02:30"),
        ("Pacific/Auckland", "2026-06-07T12:00", EndsOn(weekdays=("mon",), at="09:00"), "2026-06-08T09:00"),
        ("America/Los_Angeles", "2026-06-04T20:00", EndsOn(weekdays=("fri",), at="18:00"), "2026-06-05T18:00"),
        ("Europe/Paris", "2026-06-03T07:00", EndsOn(at="09:00"), "2026-06-03T09:00"),
    ],
)  # fmt: skip
def test_nights_and_zones_others_get_wrong(
    zone: str, moment: str, slot: EndsOn, expected: str
) -> None:
    found = next_slot(at(moment, zone), slot, zone)
    assert found == at(expected, zone)


def test_doubled_local_time_means_the_first() -> None:
    found = next_slot(
        at("2026-10-24T22:00", "Europe/Stockholm"), EndsOn(at="02:30"), "Europe/Stockholm"
    )
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_month_that_lacks_the_day_ends_on_its_last() -> None:
    span = parse_duration("1 month")
    assert span is not None
    assert shift(at("2026-01-31T10:00", "UTC"), span, "UTC") == at("2026-02-28T10:00", "UTC")


def test_hours_are_exact_and_days_keep_the_clock_over_a_change() -> None:
    before = at("2026-03-28T12:00", "Europe/Stockholm")
    hours, day = parse_duration("24 hours"), parse_duration("1 day")
    assert hours is not None
    assert day is not None
    assert shift(before, hours, "Europe/Stockholm") == at("2026-03-29T13:00", "Europe/Stockholm")
    assert shift(before, day, "Europe/Stockholm") == at("2026-03-29T12:00", "Europe/Stockholm")


def test_date_of_the_account_is_moved_and_put_at_a_clock_time() -> None:
    plus = parse_duration("-30 days", signed=True)
    wait = Wait(until=FieldMoment(account="contract_end", plus=plus, at="09:00"))
    arrived = at("2026-06-01T00:00", "UTC")
    assert wait_until(wait, arrived, "Europe/Stockholm", "2026-12-31") == at(
        "2026-12-01T09:00", "Europe/Stockholm"
    )
    assert wait_until(wait, arrived, "Europe/Stockholm", None) == arrived
    assert wait_until(wait, arrived, "Europe/Stockholm", "2020-01-01") == arrived


def test_local_moment_is_read_in_the_zone_of_the_node() -> None:
    wait = Wait(until=LocalMoment(local="2026-12-01T09:00:00"), zone="Asia/Kolkata")
    assert wait_until(wait, at("2026-06-01T00:00", "UTC"), "UTC", None) == at(
        "2026-12-01T09:00", "Asia/Kolkata"
    )


@pytest.mark.parametrize(
    "text", ["3", "0 days", "-1 days", "1.5 hours", "3 fortnights", "3days", "", "1\u0663 days"]
)
def test_what_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize("text", ["9999999999 months", "9999999999 hours", "9000 weeks"])
def test_no_duration_is_too_long_to_be_added(text: str) -> None:
    span = parse_duration(text)
    assert span is not None
    late, early = (
        shift(at("9900-01-01T00:00", "UTC"), span, "Asia/Tokyo"),
        shift(at("0100-01-01T00:00", "UTC"), -span, "Asia/Tokyo"),
    )
    assert (late, early) == (LATEST, EARLIEST)
    assert next_slot(late, EndsOn(weekdays=("mon",)), "Asia/Tokyo") > late


@pytest.mark.parametrize(
    ("value", "passes"),
    [
        ("2026-13-45", None),
        ("not a day", None),
        ("soon", None),
        ("0001-01-01", None),
        ("9999-12-31", LATEST),
        ("9999-12-31T23:59:59Z", LATEST),
        ("2026-12-31T00:00", at("2026-12-31T00:00", "Asia/Kolkata")),
        ("2026-12-31", at("2026-12-31T00:00", "Asia/Kolkata")),
        ("2026-12-31T00:00:00Z", at("2026-12-31T00:00", "UTC")),
    ],
)
def test_whatever_date_the_account_has_the_wait_ends(value: str, passes: datetime | None) -> None:
    plus = parse_duration("1 day", signed=True)
    arrived = at("2026-06-01T00:00", "UTC")
    for wait in (Wait(until=FieldMoment(account="d")), Wait(until=FieldMoment(account="d", plus=plus, at="09:00"))):  # fmt: skip
        assert wait_until(wait, arrived, "Asia/Kolkata", value) >= arrived
    plain = Wait(until=FieldMoment(account="d"))
    assert wait_until(plain, arrived, "Asia/Kolkata", value) == (passes or arrived)


def test_a_listen_never_times_out_before_it_began_nor_off_its_slot() -> None:
    arrived = at("2026-06-03T12:00", "UTC")
    listen = Listen(
        events=(ListenEvent(event="form_filled", type="form_filled"),),
        look_back=parse_duration("1 month"),
        timeout=Timeout(until=at("2026-01-01T00:00", "UTC"), ends_on=EndsOn(at="09:00")),
    )
    rest = listen_deadline(listen, arrived, Zones("UTC"))
    assert rest is not None
    assert rest.until == at("2026-06-04T09:00", "UTC")
    assert look_back_start(listen, arrived, Zones("UTC")) == at("2026-05-03T12:00", "UTC")


def rests(
    wait: Wait, moment: datetime, zones: Zones, value: str | None = None
) -> tuple[datetime, str | None]:
    rest = rest_of(wait, moment, zones, value)
    return rest.until, rest.fault


durations = st.builds(
    lambda count, unit: parse_duration(f"{count} {unit}"),
    st.integers(1, 90),
    st.sampled_from(["seconds", "minutes", "hours", "days", "weeks", "months"]),
)
local_moments = st.builds(
    lambda d: LocalMoment(local=d.replace(second=0, microsecond=0).isoformat()),
    st.datetimes(datetime(1995, 1, 1), datetime(2060, 1, 1)),
)


@given(
    instants,
    st.none() | durations,
    st.none() | local_moments | instants,
    st.none() | slots,
    st.sampled_from(ZONES),
)
def test_a_wait_never_ends_before_its_moment_nor_off_its_slot(
    arrived: datetime, for_: object, until: object, slot: EndsOn | None, zone: str
) -> None:
    wait = Wait(for_=for_, until=None if for_ else until, ends_on=slot)
    left = wait_until(wait, arrived, zone, None)
    assert left >= arrived
    moment = arrived
    if wait.for_ is not None:
        moment = shift(arrived, wait.for_, zone)
    elif isinstance(wait.until, LocalMoment):
        moment = naive(datetime.fromisoformat(wait.until.local), zone)
    elif isinstance(wait.until, datetime):
        moment = wait.until
    assert left >= moment
    if slot is None:
        assert left == max(moment, arrived)
        return
    assert left - max(moment, arrived) <= timedelta(days=9)
    local = left.astimezone(ZoneInfo(zone))
    hour, minute = map(int, slot.at.split(":"))
    wanted = local.replace(hour=hour, minute=minute, tzinfo=None)
    if (local.hour, local.minute) == (hour, minute):
        assert not local.fold, "of a doubled time the first"
        assert not slot.weekdays or WEEKDAYS[local.weekday()] in slot.weekdays
    else:
        # that clock time is skipped on its day, which may be the one before: it moves on by the gap
        days = [wanted - timedelta(days=back) for back in (0, 1)]
        skipped = [
            day
            for day in days
            if naive(day, zone) == left
            and left.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != day
        ]
        assert skipped
        assert any(not slot.weekdays or WEEKDAYS[d.weekday()] in slot.weekdays for d in skipped)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)), st.integers(0, 23))
def test_mondays_in_auckland_and_fridays_in_los_angeles(moment: datetime, hour: int) -> None:
    arrived = moment.replace(tzinfo=UTC)
    for zone, day in (("Pacific/Auckland", "mon"), ("America/Los_Angeles", "fri")):
        slot = EndsOn(weekdays=(day,), at=f"{hour:02}:00", zone=zone)  # type: ignore[arg-type]
        # by the slot's own zone, whatever that of the journey
        left = wait_until(Wait(ends_on=slot), arrived, "UTC", None)
        local = left.astimezone(ZoneInfo(zone))
        assert WEEKDAYS[local.weekday()] == day
        assert local.hour == hour or not exists(local.replace(hour=hour, tzinfo=None), zone)
        assert timedelta(0) <= left - arrived <= timedelta(days=7, hours=1)


def exists(local: datetime, zone: str) -> bool:
    return naive(local, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local


@pytest.mark.parametrize(
    ("night", "clock", "left"),
    [
        # in the night to 29 March 2026 two o'clock becomes three, in that to 25 October three becomes two
        ("2026-03-28T20:00", "01:59", "2026-03-29T00:59:00+00:00"),
        ("2026-03-28T20:00", "02:00", "2026-03-29T01:00:00+00:00"),
        ("2026-03-28T20:00", "02:59", "2026-03-29T01:59:00+00:00"),
        ("2026-03-28T20:00", "03:00", "2026-03-29T01:00:00+00:00"),
        ("2026-10-24T20:00", "01:59", "2026-10-24T23:59:00+00:00"),
        ("2026-10-24T20:00", "02:00", "2026-10-25T00:00:00+00:00"),
        ("2026-10-24T20:00", "02:59", "2026-10-25T00:59:00+00:00"),
        ("2026-10-24T20:00", "03:00", "2026-10-25T02:00:00+00:00"),
    ],
)
def test_the_nights_before_both_swedish_changes(night: str, clock: str, left: str) -> None:
    wait = Wait(ends_on=EndsOn(at=clock))
    arrived = at(night, "Europe/Stockholm")
    assert wait_until(wait, arrived, "Europe/Stockholm", None).isoformat() == left


def test_slot_of_a_doubled_hour_that_is_past_once_is_past() -> None:
    between = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # the second quarter past two
    found = next_slot(between, EndsOn(at="02:30"), "Europe/Stockholm")
    assert found == at("2026-10-26T02:30", "Europe/Stockholm")


@pytest.mark.parametrize(
    ("said", "of_account", "own", "zone", "fault"),
    [
        ((None, None), False, "Asia/Tokyo", "UTC", None),
        (("account", None), False, "Asia/Tokyo", "Asia/Tokyo", None),
        (("account", "Asia/Kolkata"), False, None, "Asia/Kolkata", "no-zone"),
        (("account", "Asia/Kolkata"), False, "", "Asia/Kolkata", "no-zone"),
        (("account", "Asia/Kolkata"), False, "Mars/Olympus", "Asia/Kolkata", "unknown-zone"),
        (("account", None), False, 17, "UTC", "unknown-zone"),
        ((None, "Asia/Kolkata"), True, "Asia/Tokyo", "Asia/Kolkata", None),
        ((None, None), True, "Asia/Tokyo", "Asia/Tokyo", None),
        ((None, None), True, None, "UTC", "no-zone"),
        (("account", "account"), True, "../etc/passwd", "UTC", "unknown-zone"),
    ],
)
def test_the_zone_is_the_narrowest_said_and_the_accounts_own_where_it_has_one(
    said: tuple[str | None, ...], of_account: bool, own: object, zone: str, fault: str | None
) -> None:
    zones = Zones("UTC", own, of_account)
    assert (zones.of(*said), zones.fault(*said)) == (zone, fault)


def test_each_part_of_a_wait_is_by_its_own_zone() -> None:
    arrived = at("2026-06-01T12:00", "UTC")
    tokyo = Zones("UTC", "Asia/Tokyo")
    slot = EndsOn(at="09:00", zone="account")
    assert rests(Wait(ends_on=slot), arrived, tokyo) == (at("2026-06-02T09:00", "Asia/Tokyo"), None)
    assert rests(Wait(ends_on=slot, zone="Asia/Kolkata"), arrived, Zones("UTC")) == (
        at("2026-06-02T09:00", "Asia/Kolkata"), "no-zone",
    )  # fmt: skip
    date = Wait(until=FieldMoment(account="d", zone="account", at="09:00"))
    assert rests(date, arrived, tokyo, "2026-07-01") == (at("2026-07-01T09:00", "Asia/Tokyo"), None)
    assert rests(date, arrived, Zones("UTC", "x"), "2026-07-01") == (
        at("2026-07-01T09:00", "UTC"), "unknown-zone",
    )  # fmt: skip
    # nothing by the clock, nothing to be wrong about
    hours = Wait(for_=parse_duration("24 hours"), zone="account")
    assert rests(hours, arrived, Zones("UTC")) == (arrived + timedelta(days=1), None)
    assert rests(date, arrived, Zones("UTC"), None) == (arrived, None)
