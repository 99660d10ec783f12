"""Instants as the trace writes them, and as people may give them relative to a beginning."""

from datetime import UTC, datetime

from caravan.journeys.durations import parse_duration
from caravan.journeys.time import shift


def written(at: datetime) -> str:
    """UTC, RFC 3339, ``Z``, milliseconds only if not zero."""
    at = to_the_millisecond(at.astimezone(UTC))
    form = "milliseconds" if at.microsecond else "seconds"
    return at.replace(tzinfo=None).isoformat(timespec=form) + "Z"


def to_the_millisecond(at: datetime) -> datetime:
    """What the trace can say of an instant."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def read_instant(text: object, begin: datetime | None, zone: str = "UTC") -> datetime | None:
    """An instant; or, where there is a beginning, a time after it (``+3 days``). None: neither."""
    if not isinstance(text, str):
        return None
    if text.startswith("+") and begin is not None:
        span = parse_duration(text.removeprefix("+").strip())
        return shift(begin, span, zone) if span is not None else None
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
