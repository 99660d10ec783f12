"""When a journey takes accounts, and until when those inside may go on: the start, the end and the grace behind it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from caravan.journeys.durations import Duration
from caravan.journeys.time import shift


class Schedule(BaseModel):
    """When a journey takes accounts; ``end`` an instant, or a duration after the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: datetime | None = None  # None: now
    end: datetime | Duration | None = None
    grace: Duration | None = None


def dates_of(schedule: Schedule, zone: str, at: datetime) -> tuple[datetime, datetime, datetime]:
    """Start, end, and the end with its grace, of a journey published at ``at``."""
    starts_at = schedule.start if isinstance(schedule.start, datetime) else at
    assert schedule.end is not None  # end-date-missing is an error of validation
    ends_at = (
        schedule.end if isinstance(schedule.end, datetime) else shift(starts_at, schedule.end, zone)
    )
    deadline = shift(ends_at, schedule.grace, zone) if schedule.grace else ends_at
    return starts_at, ends_at, deadline
