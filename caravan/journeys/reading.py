"""Reading one mapping of a document, key by key, with every problem reported at its place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

from caravan.journeys.conditions.counts import read_count
from caravan.journeys.conditions.model import Condition, Test
from caravan.journeys.conditions.parse import (
    Context,
    Scope,
    nearest,
    parse_condition,
    parse_test,
)
from caravan.journeys.durations import Span, parse_duration
from caravan.journeys.fields import FieldType
from caravan.journeys.limits import USUAL, Limits
from caravan.journeys.problems import Path, Report
from caravan.journeys.time import WEEKDAYS, EndsOn, LocalMoment, known_zone
from caravan.journeys.written import as_written, shown
from caravan.journeys.zones import ACCOUNT

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SLUG_IN_WORDS = "small letters, digits and dashes, at most 63"
#: names of nodes, labels and ends stand in tables and in search attributes, which have limits
NAME_LIMIT = 200
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?)?")


@dataclass(frozen=True)
class JourneyScope:
    """What the parts of a journey may speak of."""

    conditions: Scope
    templates: frozenset[str]
    slots: Mapping[str, EndsOn]
    audience_names: frozenset[str]
    tokens: Mapping[str, str] | None = None  # of the journey; None: not checked
    journey: str = ""  # the slug of the journey it stands in
    journeys: frozenset[str] = frozenset()
    campaigns: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()


@runtime_checkable
class Watching(Protocol):
    """A report that also wants to see what is read: the maker of the schema."""

    def opened(self, fields: "Fields") -> None: ...


class Fields:
    """One mapping of a document. Ask for its keys, then ``finish`` to report the unknown ones."""

    def __init__(self, raw: object, path: Path, report: Report, limits: Limits = USUAL) -> None:
        self.path = path
        self.report = report
        self.limits = limits
        self.seen: list[str] = []
        self.kinds: dict[str, str] = {}  # what each key was asked for as, for the schema
        self.needed: set[str] = set()
        self.fine = isinstance(raw, dict)
        self.raw: dict[str, Any] = raw if isinstance(raw, dict) else {}
        if isinstance(report, Watching):
            report.opened(self)
        if not self.fine:
            report("bad-value", path, "a mapping was expected here")

    def within(self, raw: object, *path: str | int) -> "Fields":
        """A mapping that stands somewhere in this one."""
        return Fields(raw, (*self.path, *path), self.report, self.limits)

    def has(self, key: str) -> bool:
        return self.given(key) is not None

    def given(self, key: str, kind: str = "given") -> Any:
        self.seen.append(key)
        if kind != "given" or key not in self.kinds:
            self.kinds[key] = kind
        return self.raw.get(key)

    def problem(self, code: str, key: str | None, message: str) -> None:
        self.fine = False
        self.report(code, (*self.path, key) if key is not None else self.path, message)

    def required(self, key: str) -> Any:
        value = self.given(key)
        self.needed.add(key)
        if value is None:
            self.problem("missing-key", None, f"{key} is missing")
        return value

    def text(self, key: str, *, longest: int = 10_000, limit: str = "") -> str | None:
        """A string field: its text as written; ``limit``: the one that says how long it may be."""
        value = self.given(key, "text")
        if value is None:
            return None
        if isinstance(value, dict | list):
            self.problem("bad-value", key, f"{key} takes a text")
            return None
        text = as_written(value)
        longest = getattr(self.limits, limit) if limit else longest
        if len(text) > longest:
            why = f" {self.limits.over(limit)}" if limit else ""
            self.problem("text-too-long", key, f"{key} may have at most {longest} characters{why}")
            return None
        return text

    def slug(self, key: str) -> str | None:
        """The name of a document."""
        slug = self.text(key) if self.required(key) is not None else None
        if slug is None or SLUG.fullmatch(slug):
            return slug
        self.problem("bad-value", key, f"{slug!r} is not a slug: {SLUG_IN_WORDS}")
        return None

    def name(self, key: str) -> str | None:
        """A name of their own for a role or a stage, which must be there."""
        name = self.text(key, longest=NAME_LIMIT) if self.required(key) is not None else None
        if name is not None and not name.strip():
            self.problem("bad-value", key, f"{key} takes a name")
            return None
        return name

    def choice(self, key: str, known: Sequence[str]) -> str | None:
        """One of some words."""
        text = self.text(key)
        self.kinds[key] = f"one of {' '.join(known)}"
        if text is None or text in known:
            return text
        self.problem(
            "bad-value", key, f"{text} is none of {', '.join(known)}{nearest(text, known)}"
        )
        return None

    def boolean(self, key: str, default: bool) -> bool:
        value = self.given(key, "boolean")
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problem("bad-value", key, f"{key} takes true or false")
            return default
        return value

    def count(self, key: str, default: int, least: int = 1) -> int:
        if self.given(key, f"count from {least}") is None:
            return default
        count = read_count(self.raw, key, default, self.path, self.report, least=least)
        if count is None:
            self.fine = False
            return default
        return count

    def fraction(self, key: str, default: float) -> float:
        """A number from 0 to 1."""
        value = self.given(key, "fraction")
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            self.problem("bad-value", key, f"{key} takes a number from 0 to 1")
            return default
        return float(value)

    def items(self, key: str) -> list[Any]:
        value = self.given(key, "items")
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem("bad-value", key, f"{key} takes a list")
            return []
        return value

    def mapping(self, key: str) -> dict[str, Any]:
        """The mapping at a key; empty where there is none."""
        value = self.given(key, "mapping")
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.problem("bad-value", key, f"{key} takes a mapping")
            return {}
        return value

    def inner(self, key: str) -> "Fields":
        """The mapping at a key, to be read key by key in its turn; empty where there is none."""
        raw = self.given(key, "inner")
        return self.within({} if raw is None else raw, key)

    def duration(self, key: str, *, signed: bool = False) -> Span | None:
        value = self.given(key, "signed duration" if signed else "duration")
        if value is None:
            return None
        span = parse_duration(value, signed=signed) if isinstance(value, str) else None
        if span is None:
            self.problem(
                "bad-duration", key, f"{shown(value)} is not a duration, for example 3 days"
            )
        return span

    def zone(self, key: str = "zone") -> str | None:
        """The name of a time zone, or ``account`` for the account's own."""
        value = self.given(key, "zone")
        if value is None:
            return None
        if value == ACCOUNT:
            return ACCOUNT
        if not isinstance(value, str) or not known_zone(value):
            self.problem(
                "unknown-zone",
                key,
                f"no time zone {shown(value)}; use a name such as Europe/Stockholm, or account",
            )
            return None
        return value

    def moment(self, key: str) -> datetime | LocalMoment | None:
        """An instant with an offset, or a local time."""
        value = self.given(key, "moment")
        if value is None:
            return None
        if isinstance(value, str):
            if _LOCAL.fullmatch(value):
                local = value.replace(" ", "T")
                local = local if "T" in local else f"{local}T00:00"
                try:
                    datetime.fromisoformat(local)
                except ValueError:
                    pass
                else:
                    return LocalMoment(local=local if local.count(":") == 2 else f"{local}:00")
            else:
                try:
                    instant = datetime.fromisoformat(value)
                    if instant.tzinfo is not None:
                        return instant.astimezone(UTC)
                except (ValueError, OverflowError):
                    pass
        self.problem(
            "bad-value",
            key,
            f"{shown(value)} is not a moment, for example 2026-12-01T09:00:00+01:00",
        )
        return None

    def clock(self, key: str) -> str | None:
        value = self.given(key, "clock")
        if value is None:
            return None
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            self.problem(
                "bad-value",
                key,
                f'{shown(value)} is not a clock time, for example "09:00" (in quotes)',
            )
            return None
        return value

    def ends_on(self, slots: Mapping[str, EndsOn], key: str = "ends_on") -> EndsOn | None:
        """A slot by name, or weekdays and a clock time."""
        value = self.given(key, "ends_on")
        if value is None:
            return None
        if isinstance(value, str):
            if value not in slots:
                self.problem(
                    "unknown-slot", key, f"the workspace has no slot {value}{nearest(value, slots)}"
                )
                return None
            return slots[value]
        inner = self.within(value, key)
        slot = read_slot(inner)
        self.fine = self.fine and inner.fine
        return slot

    def node(self, key: str, scope: Scope) -> str | None:
        """The name of a node."""
        value = self.text(key)
        if value is None:
            return None
        if value not in scope.nodes:
            self.problem("unknown-node", key, f"no node {value}{nearest(value, scope.nodes)}")
            return None
        return value

    def condition(self, key: str, context: Context, scope: Scope) -> Condition | None:
        value = self.given(key, f"{context} condition")
        if value is None:
            return None
        condition = parse_condition(value, context, (*self.path, key), scope, self.report)
        if condition is None:
            self.fine = False
        return condition

    def test(self, key: str, kind: FieldType) -> Test | None:
        """A test on a value of a type."""
        value = self.given(key, "test")
        if value is None:
            return None
        test = parse_test(value, kind, (*self.path, key), self.report)
        if test is None:
            self.fine = False
        return test

    def each(self, key: str) -> list["Fields"]:
        """The mappings of a list, each to be read key by key in its turn."""
        return [self.within(raw, key, number) for number, raw in enumerate(self.items(key))]

    def finish(self) -> bool:
        """Report unknown keys; true where nothing was wrong."""
        for key in self.raw:
            if key not in self.seen:
                self.problem(
                    "unknown-key", key, f"no key {key} here{nearest(key, dict.fromkeys(self.seen))}"
                )
        return self.fine


def refuse_doubled(each: Sequence[Fields], key: str) -> None:
    """Report the names that more than one mapping of a list bears; conditions fold their case."""
    taken: set[str] = set()
    for fields in each:
        if key not in fields.raw:
            continue
        name = as_written(fields.raw[key])
        if name.casefold() in taken:
            fields.problem("duplicate-label", key, f"there is a {key} {name} already")
        taken.add(name.casefold())


def read_slot(fields: Fields) -> EndsOn | None:
    """``{weekdays: [tue], at: "09:00", zone: …}``."""
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
    at = fields.clock("at")
    zone = fields.zone()
    if not fields.finish():
        return None
    return EndsOn(weekdays=tuple(weekdays), at=at or "00:00", zone=zone)
