"""How long what only looks back is kept, as settings say it; and what is never removed for its age."""

import re
from dataclasses import dataclass
from datetime import timedelta

#: what may be written of a setting: "7 days", or "forever"
FORM = re.compile(r"(\d{1,5}) days?")
FOREVER = "forever"
#: the shortest spans: a reader that was away for a weekend, and a journey that was, catch up
LEAST = {
    "RETAIN_OUTBOX": 1,
    "RETAIN_STEPS": 30,
    "RETAIN_EVENTS": 90,
    "RETAIN_AI_CALLS": 30,
    "RETAIN_AI_ANSWERS": 0,
}


class BadRetention(ValueError):
    """A setting that is no span of days; says which and why."""


@dataclass(frozen=True)
class Retention:
    """None: for ever."""

    outbox: timedelta | None = timedelta(days=7)
    steps: timedelta | None = timedelta(days=400)
    events: timedelta | None = None
    ai_calls: timedelta | None = timedelta(days=400)
    ai_answers: timedelta | None = timedelta(days=1)

    @classmethod
    def of(
        cls,
        outbox: str,
        steps: str,
        events: str,
        ai_calls: str = "400 days",
        ai_answers: str = "1 day",
    ) -> "Retention":
        """From the settings as they are written.

        Raises:
            BadRetention: one is no span of days, or a shorter one than is safe.
        """
        return cls(
            outbox=_span("RETAIN_OUTBOX", outbox),
            steps=_span("RETAIN_STEPS", steps),
            events=_span("RETAIN_EVENTS", events),
            ai_calls=_span("RETAIN_AI_CALLS", ai_calls),
            ai_answers=_span("RETAIN_AI_ANSWERS", ai_answers),
        )


def _span(name: str, written: str) -> timedelta | None:
    if written.strip() == FOREVER:
        return None
    match = FORM.fullmatch(written.strip())
    if match is None:
        raise BadRetention(f"The setting {name} is wrong: it looks like 30 days, or {FOREVER}")
    days = int(match[1])
    if days < LEAST[name]:
        raise BadRetention(f"The setting {name} is wrong: {LEAST[name]} days at least")
    return timedelta(days=days)
