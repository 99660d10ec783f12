"""The document ``communication_limits:``: how much mail is enough, and when nobody is to be disturbed.

A workspace may have several; all of them hold together (product.md §5.7).
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from caravan.journeys.durations import Duration, Span
from caravan.journeys.quiet_hours import PERSON, QuietHours
from caravan.journeys.reading import Fields
from caravan.journeys.time import WEEKDAYS
from caravan.journeys.written import shown
from caravan.journeys.zones import ACCOUNT

Subject = Literal["person", "account", "buying_group"]
SUBJECTS: tuple[Subject, ...] = ("person", "account", "buying_group")
Channel = Literal["email", "sms"]
CHANNELS: tuple[Channel, ...] = ("email", "sms")

#: so long may a period be: what has been counted is kept until it is over
LONGEST = {"hours": 8_784, "days": 366, "weeks": 53, "months": 12}
#: messages of one period
MOST_MESSAGES = 1_000_000


class Limit(BaseModel):
    """At most so many messages in each calendar period; no channel: of all channels together."""

    model_config = ConfigDict(frozen=True)

    per: Subject
    at_most: int
    every: Duration
    channel: Channel | None = None

    def __str__(self) -> str:
        number = f"{self.at_most} {'message' if self.at_most == 1 else 'messages'}"
        return f"at most {number} {self.counted}"

    @property
    def counted(self) -> str:
        """What it counts, in words: the same for the same counts."""
        channel = f" by {self.channel}" if self.channel else ""
        count, unit = self.every.count, self.every.unit
        period = unit.removesuffix("s") if count == 1 else f"{count} {unit}"
        return f"per {self.per.replace('_', ' ')} every {period}{channel}"


class CommunicationLimitsDocument(BaseModel):
    """Periods are those of ``zone``, and quiet hours go by it where nobody's own clock counts."""

    model_config = ConfigDict(frozen=True)

    communication_limits: str
    zone: str = "UTC"
    limits: tuple[Limit, ...] = ()
    quiet_hours: tuple[QuietHours, ...] = ()


def read_communication_limits(
    fields: Fields, zone: str, *, of_account: bool = False
) -> CommunicationLimitsDocument | None:
    """From its mapping; None where anything in it is wrong.

    Args:
        fields: the document.
        zone: the workspace's, which counts where the document names none.
        of_account: the workspace says `account`, so quiet hours go by the account's clock where they
            and the document name none.
    """
    slug = fields.slug("communication_limits")
    own = _read_zone(fields)
    each_limit, each_quiet = fields.each("limits"), fields.each("quiet_hours")
    limits = [_read_limit(one) for one in each_limit]
    whose = own or (ACCOUNT if of_account else zone)
    quiet = [_read_quiet(one, whose, own or zone) for one in each_quiet]
    for key, each, limit in (
        ("limits", each_limit, "communication_rules"),
        ("quiet_hours", each_quiet, "quiet_periods"),
    ):
        most = getattr(fields.limits, limit)
        if len(each) > most:
            fields.problem(
                "bad-value",
                key,
                f"a document has at most {most} of them, not {len(each)} {fields.limits.over(limit)}",
            )
    if not fields.has("limits") and not fields.has("quiet_hours"):
        fields.problem("missing-key", None, "limits or quiet_hours is missing")
    fine = all(one.fine for one in (*each_limit, *each_quiet))
    if not fields.finish() or not fine or slug is None:
        return None
    known = tuple(limit for limit in limits if limit is not None)
    _refuse_counted_twice(known, each_limit)
    hours = tuple(one for one in quiet if one is not None)
    if (endless := _endless(hours)) is not None:
        fields.problem(
            "bad-value", "quiet_hours", f"it is never not quiet by the clock of {endless}"
        )
    if not fields.fine or not all(one.fine for one in each_limit):
        return None
    return CommunicationLimitsDocument(
        communication_limits=slug, zone=own or zone, limits=known, quiet_hours=hours
    )


def _read_zone(fields: Fields) -> str | None:
    zone = fields.zone()
    if zone == ACCOUNT:
        fields.problem(
            "bad-value",
            "zone",
            "periods are those of one calendar: zone takes a name such as Europe/Stockholm "
            "(quiet hours may name person or account)",
        )
        return None
    return zone


def _read_limit(fields: Fields) -> Limit | None:
    fields.required("per")
    per = fields.choice("per", SUBJECTS)
    fields.required("at_most")
    at_most = fields.count("at_most", 1)
    if at_most > MOST_MESSAGES:
        fields.problem("bad-value", "at_most", f"at_most is at most {MOST_MESSAGES}")
    fields.required("every")
    every = fields.duration("every")
    if every is not None and not 1 <= every.count <= LONGEST.get(every.unit, 0):
        fields.problem(
            "bad-duration",
            "every",
            "periods are those of the calendar: hours, days, weeks or months, up to a year",
        )
    channel = fields.choice("channel", CHANNELS)
    if not fields.finish() or every is None:
        return None
    return Limit.model_validate(
        {"per": per, "at_most": at_most, "every": every, "channel": channel}
    )


def _read_quiet(fields: Fields, zone: str, wider: str) -> QuietHours | None:
    fields.required("from")
    fields.required("to")
    begins, ends = fields.clock("from"), fields.clock("to")
    weekdays = []
    for number, name in enumerate(fields.items("weekdays")):
        if name in WEEKDAYS:
            weekdays.append(name)
        else:
            fields.fine = False
            fields.report(
                "bad-value",
                (*fields.path, "weekdays", number),
                f"{shown(name)} is not a weekday: {', '.join(WEEKDAYS)}",
            )
    whose = PERSON if fields.given("zone", "zone") == PERSON else fields.zone()
    otherwise = fields.choice("otherwise", ("hold", "drop")) or "hold"
    if not fields.finish():
        return None
    return QuietHours.model_validate(
        {
            "begins": begins,
            "ends": ends,
            "weekdays": tuple(sorted(set(weekdays), key=WEEKDAYS.index)),
            "zone": whose or zone,
            "wider": wider,
            "otherwise": otherwise,
        }
    )


def _refuse_counted_twice(limits: tuple[Limit, ...], each: list[Fields]) -> None:
    counted: set[tuple[str, Span, str | None]] = set()
    for limit, fields in zip(limits, each, strict=True):
        key = (limit.per, limit.every, limit.channel)
        if key in counted:
            fields.problem("duplicate-label", "per", f"there is a limit {limit.counted} already")
        counted.add(key)


def _endless(hours: tuple[QuietHours, ...]) -> str | None:
    """Whose clock it is always quiet by, if there is one: nothing would ever be sent."""
    for zone in dict.fromkeys(one.zone for one in hours):
        week = [minute for one in hours if one.zone == zone for minute in _minutes(one)]
        if len(set(week)) == _WEEK:
            return zone
    return None


_DAY, _WEEK = 24 * 60, 7 * 24 * 60


def _minutes(quiet: QuietHours) -> list[int]:
    """The minutes of a week that are quiet."""
    begin, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (quiet.begins, quiet.ends))
    length = (end - begin) % _DAY or _DAY
    return [
        (WEEKDAYS.index(day) * _DAY + begin + minute) % _WEEK
        for day in (quiet.weekdays or WEEKDAYS)
        for minute in range(length)
    ]
