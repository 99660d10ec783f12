"""The node ``wait``: for a time, until a moment, until a date of the account, or to the next slot."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from caravan.journeys.control import ControlNode
from caravan.journeys.durations import Duration, SignedDuration, parse_duration
from caravan.journeys.nodes.base import NodeBase, read_max_visits, read_way_on, target
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope
from caravan.journeys.rests import Rest, rest_until
from caravan.journeys.state import Command
from caravan.journeys.time import (
    ClockTime,
    EndsOn,
    LocalMoment,
    on_the_clock,
    shift,
    stored_moment,
)
from caravan.journeys.written import shown
from caravan.journeys.zones import Zones


class FieldMoment(BaseModel):
    """A date of the account, moved and put at a clock time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    zone: str | None = None
    plus: SignedDuration | None = None
    at: ClockTime | None = None


class Wait(NodeBase):
    kind: Literal["wait"] = "wait"
    for_: Duration | None = None
    until: datetime | LocalMoment | FieldMoment | None = None
    ends_on: EndsOn | None = None
    rest_zone: str | None = None  # said of the wait itself, not of its node


def control(node: Wait) -> ControlNode:
    """What the workflow knows of it."""
    return ControlNode(
        kind="wait", label=node.label or "", edges={"next": target(node.next, node.end)}
    )


def ask(control: ControlNode, name: str, visit: int, segment: int) -> Command:
    """Wait; the instant is computed by the store command that serves the arrival."""
    return Command(kind="wait", node=name, visit=visit)


def wait_until(wait: Wait, arrived_at: datetime, zones: Zones, account_value: str | None) -> Rest:
    """When an account that arrived leaves a wait; a moment in the past passes at once.

    Args:
        wait: the node.
        arrived_at: when the account came.
        zones: of the account and its journey.
        account_value: the account's field, where the wait is for one; null passes at once.
    """
    said, until, fault = (wait.rest_zone, wait.zone), wait.until, None
    if isinstance(until, FieldMoment):
        fault = zones.fault(until.zone, *said) if account_value else None
        until = _moment_of(until, account_value, zones.of(until.zone, *said))
    rest = rest_until(arrived_at, zones, *said, after=wait.for_, until=until, ends_on=wait.ends_on)
    return Rest(rest.until, rest.fault or fault)


def _moment_of(moment: FieldMoment, account_value: str | None, zone: str) -> datetime | None:
    day = stored_moment(account_value, zone) if account_value else None
    if day is None:
        return None
    moved = shift(day, moment.plus, zone) if moment.plus is not None else day
    return moved if moment.at is None else on_the_clock(moved, moment.at, zone)


def read(fields: Fields, scope: JourneyScope) -> Wait | None:
    """From a document's mapping: ``wait: 3 days`` or ``wait: {for: …, until: …, ends_on: …}``."""
    raw = fields.given("wait")
    label, zone = fields.text("label", longest=NAME_LIMIT), fields.zone()
    to, end = read_way_on(fields, scope)
    max_visits = read_max_visits(fields, scope)
    for_, ends_on, rest_zone = None, None, None
    until: datetime | LocalMoment | FieldMoment | None = None
    if isinstance(raw, dict):
        inner = fields.inner("wait")
        for_ = inner.duration("for")
        ends_on = inner.ends_on(scope.slots)
        rest_zone = inner.zone()
        if isinstance(inner.given("until"), dict):
            until = _read_field_moment(inner.inner("until"), scope)
            inner.fine = inner.fine and until is not None
        else:
            until = inner.moment("until")
        if inner.fine and for_ is None and until is None and ends_on is None:
            inner.problem("missing-key", None, "a wait needs for, until or ends_on")
        if for_ is not None and until is not None:
            inner.problem("bad-value", "until", "a wait takes for or until, not both")
        fields.fine = inner.finish() and fields.fine
    else:
        for_ = parse_duration(raw) if isinstance(raw, str) else None
        if for_ is None:
            fields.problem(
                "bad-duration", "wait", f"{shown(raw)} is not a duration, for example 3 days"
            )
    if not fields.finish():
        return None
    return Wait(
        label=label,
        zone=zone,
        next=to,
        end=end,
        max_visits=max_visits,
        for_=for_,
        until=until,
        ends_on=ends_on,
        rest_zone=rest_zone,
    )


def _read_field_moment(fields: Fields, scope: JourneyScope) -> FieldMoment | None:
    known = scope.conditions.catalog.of("account")
    field = fields.text("account")
    fields.required("account")
    if field is not None and known.get(field) not in ("date", "datetime"):
        code = "operator-type-mismatch" if field in known else "unknown-field"
        fields.problem(code, "account", f"account has no date field {field}")
    plus = fields.duration("plus", signed=True)
    at, zone = fields.clock("at"), fields.zone()
    if not fields.finish() or field is None:
        return None
    return FieldMoment(account=field, zone=zone, plus=plus, at=at)
