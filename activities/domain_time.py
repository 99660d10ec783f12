"""Domain time in activities: what the workflow said, plus how long the activity has been tried.

``as_of`` is the workflow's clock when it asked. A retry hours later speaks of later: the time
between the first schedule and now is added. Nothing below reads a clock of its own.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from temporalio import activity


def begun(as_of: datetime | None) -> datetime:
    """When the activity was first scheduled."""
    return as_of or activity.info().scheduled_time


def clock(as_of: datetime | None) -> Callable[[], datetime]:
    """A clock that stands at ``as_of`` when the activity was first scheduled."""
    scheduled, start = activity.info().scheduled_time, begun(as_of)

    def now() -> datetime:
        return start + max(datetime.now(UTC) - scheduled, start - start)

    return now
