"""A journey's ``schedule:``: when it takes accounts, and when it ends."""

from datetime import datetime

from caravan.journeys.durations import Span, parse_duration
from caravan.journeys.reading import Fields
from caravan.journeys.schedule import Schedule
from caravan.journeys.time import LocalMoment, local_instant, shift


def read_schedule(fields: Fields, zone: str, at: datetime) -> Schedule | None:
    """The key ``schedule`` of a journey that is published at an instant."""
    if not fields.has("schedule"):
        fields.problem(
            "end-date-missing", None, "a journey needs schedule: {end: …} to be published"
        )
        return None
    schedule = _read(fields.inner("schedule"), zone, at)
    fields.fine = fields.fine and schedule is not None
    return schedule


def _read(fields: Fields, zone: str, at: datetime) -> Schedule | None:
    start = None
    if fields.given("start") not in (None, "now"):
        start = _instant(fields, "start", zone)
    grace = fields.duration("grace")
    end: object = fields.given("end")
    if end is None:
        fields.problem(
            "end-date-missing", None, "end is missing: an instant, or a duration after start"
        )
        fields.finish()
        return None
    span = parse_duration(end) if isinstance(end, str) else None
    begins = start or at
    ends_at = shift(begins, span, zone) if span is not None else _instant(fields, "end", zone)
    years = fields.limits.journey_years
    if ends_at is not None:
        if ends_at <= begins or ends_at <= at:
            fields.problem("end-before-start", "end", "the journey would have ended already")
        elif ends_at > shift(begins, Span(count=12 * years, unit="months"), zone):
            fields.problem(
                "end-date-too-late",
                "end",
                f"a journey ends at most {years} years after it starts "
                + fields.limits.over("journey_years"),
            )
    if not fields.finish() or ends_at is None:
        return None
    return Schedule(start=start, end=span or ends_at, grace=grace)


def _instant(fields: Fields, key: str, zone: str) -> datetime | None:
    moment = fields.moment(key)
    return local_instant(moment.local, zone) if isinstance(moment, LocalMoment) else moment
