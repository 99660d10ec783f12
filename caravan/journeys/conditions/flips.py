"""When a condition may change by the passing of time alone.

A flip is an SQL instant after domain time, or null. Naming one too many costs a look at one record;
naming one too few would leave an account where it does not belong.
"""

from caravan.journeys.conditions.binder import Binder
from caravan.journeys.conditions.model import Test
from caravan.journeys.conditions.operators import RELATIVE
from caravan.journeys.durations import Span, Unit, duration_of

#: both ends of a window count: what leaves it does so just after
JUST_AFTER = " + interval '1 microsecond'"

#: longer ones never end, and no database could add them to a date
_LONGEST: dict[Unit, int] = {
    "seconds": 63_000_000_000, "minutes": 1_050_000_000, "hours": 17_500_000,
    "days": 730_000, "weeks": 104_000, "months": 24_000,
}  # fmt: skip


def flips_of(test: Test, value: str, binder: Binder) -> list[str]:
    """The flips of a test on an SQL value."""
    flips: list[str] = []
    for check in test.checks:
        if check.operator not in RELATIVE:
            continue
        if test.type == "date":
            # a date is its whole day: what it ends is over when the next day begins
            begins, over = _midnight(value, binder), _midnight(f"({value} + 1)", binder)
        else:
            begins, over = value, f"({value}{JUST_AFTER})"
        for operand in check.operands:
            span = duration_of(str(operand))
            match check.operator:
                case "in_past":
                    flips += [after_now(begins, binder), *fallen_out(over, span, binder)]
                case "in_past_before":
                    flips += fallen_out(over, span, binder)
                case "in_future":
                    flips += [*_moved(begins, "-", span, binder), after_now(over, binder)]
                case _:
                    flips += _moved(begins, "-", span, binder)
    return flips


def fallen_out(over: str, span: Span, binder: Binder) -> list[str]:
    """When what was over at an instant leaves a window of a duration before now."""
    return _moved(over, "+", span, binder)


def after_now(instant: str, binder: Binder) -> str:
    """An instant where it lies after domain time, else null; what ends in year 9999 never does."""
    as_of = binder.named("as_of", "timestamptz")
    return f"case when {instant} > {as_of} and {instant} < '9990-01-01Z' then {instant} end"


def _moved(instant: str, sign: str, span: Span, binder: Binder) -> list[str]:
    """An instant moved by a duration, and the instants near it at which to look again.

    Adding a calendar duration is not quite the inverse of subtracting it: the clock of the zone may
    be changed in between, and the last days of a longer month all lie a month after the same day.
    """
    zone = binder.literal(binder.zone, "text")
    count = min(abs(span.count), _LONGEST[span.unit])
    moved = f"date_add({instant}, interval '{sign}{count} {span.unit}', {zone})"
    near = [moved]
    if span.unit in ("days", "weeks", "months") and binder.zone != "UTC":
        near += [f"{moved} - interval '1 hour'", f"{moved} + interval '1 hour'"]
    if span.unit == "months":
        days = [f"{moved} + interval '{number} days'" for number in (1, 2, 3)]
        near += [*days, *(f"date_trunc('day', {day}, {zone})" for day in days)]
    return [after_now(f"({one})", binder) for one in near]


def _midnight(day: str, binder: Binder) -> str:
    return f"({day}::timestamp at time zone {binder.literal(binder.zone, 'text')})"
