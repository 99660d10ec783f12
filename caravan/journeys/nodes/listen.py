"""The node ``listen``: the account rests until one of several events, or a time-out."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from caravan.journeys.conditions.model import Condition, Test
from caravan.journeys.conditions.parse import parse_event
from caravan.journeys.control import ControlNode
from caravan.journeys.durations import Duration
from caravan.journeys.events import is_account_event
from caravan.journeys.nodes.base import NodeBase, read_max_visits, read_way_on, target
from caravan.journeys.reading import NAME_LIMIT, Fields, JourneyScope
from caravan.journeys.reasons import ExitReason
from caravan.journeys.rests import Rest, rest_until
from caravan.journeys.state import Command
from caravan.journeys.time import EndsOn, LocalMoment, shift
from caravan.journeys.zones import Zones


class ListenEvent(BaseModel):
    """One event that is listened for.

    ``type`` is the activity type stored, ``where`` what is asked of its fields; ``people`` distinct
    people must each do it ``times`` times.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: str
    type: str
    where: dict[str, Test] = {}
    who: Condition | None = None
    times: int = Field(default=1, ge=1)
    people: int = Field(default=1, ge=1)
    next: str | None = None
    end: str | None = None


class Timeout(BaseModel):
    """When listening ends; neither ``next`` nor ``end``: the journey does, reason timeout."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Duration | None = None
    until: datetime | LocalMoment | None = None
    ends_on: EndsOn | None = None
    zone: str | None = None
    next: str | None = None
    end: str | None = None


class Listen(NodeBase):
    kind: Literal["listen"] = "listen"
    events: tuple[ListenEvent, ...]
    look_back: Duration | None = None
    timeout: Timeout | None = None


def control(node: Listen) -> ControlNode:
    """What the workflow knows of it: one numbered edge per event, and the time-out's."""
    edges = {
        str(number): target(event.next, event.end)
        if event.next is not None or event.end is not None
        else target(node.next, node.end)
        for number, event in enumerate(node.events, start=1)
    }
    timeout = node.timeout
    edges["timeout"] = target(
        timeout.next if timeout else None, timeout.end if timeout else None, ExitReason.TIMEOUT
    )
    names = {str(number): event.event for number, event in enumerate(node.events, start=1)}
    return ControlNode(kind="listen", label=node.label or "", edges=edges, names=names)


def ask(control: ControlNode, name: str, visit: int, segment: int) -> Command:
    """Listen; registering is the store command that serves the arrival."""
    return Command(kind="listen", node=name, visit=visit)


def listen_deadline(listen: Listen, arrived_at: datetime, zones: Zones) -> Rest | None:
    """When a listen times out; None where only the journey's end ends it."""
    timeout = listen.timeout
    if timeout is None or (timeout.after is None and timeout.until is None and not timeout.ends_on):
        return None
    return rest_until(
        arrived_at,
        zones,
        timeout.zone,
        listen.zone,
        after=timeout.after,
        until=timeout.until,
        ends_on=timeout.ends_on,
    )


def look_back_start(listen: Listen, arrived_at: datetime, zones: Zones) -> datetime:
    """From when on events count: arrival, less the look-back."""
    if listen.look_back is None:
        return arrived_at
    return shift(arrived_at, -listen.look_back, zones.of(listen.zone))


#: arguments every event takes, beside its own
EVERYONES = ("who", "times", "people", "next", "end")


def read(fields: Fields, scope: JourneyScope) -> Listen | None:
    """From a document's mapping."""
    events = []
    for number, raw in enumerate(fields.items("listen")):
        one = fields.within(raw, "listen", number)
        if len(one.raw) != 1:
            one.problem(
                "bad-value", None, "an event is one key, such as email_clicked: {template: welcome}"
            )
        events += [
            _read_event(str(name), one.within(given or {}, name), scope)
            for name, given in one.raw.items()
        ]
    if not events:
        fields.problem("missing-key", "listen", "a listen needs at least one event")
    label, zone = fields.text("label", longest=NAME_LIMIT), fields.zone()
    to, end = read_way_on(fields, scope)
    look_back = fields.duration("look_back")
    timeout = None
    if fields.has("timeout"):
        timeout = _read_timeout(fields.inner("timeout"), scope)
        fields.fine = fields.fine and timeout is not None
    max_visits = read_max_visits(fields, scope)
    if not fields.finish() or None in events:
        return None
    return Listen(
        label=label,
        zone=zone,
        next=to,
        end=end,
        max_visits=max_visits,
        events=tuple(event for event in events if event is not None),
        look_back=look_back,
        timeout=timeout,
    )


def _read_event(name: str, fields: Fields, scope: JourneyScope) -> ListenEvent | None:
    who = fields.condition("who", "person", scope.conditions)
    times, people = fields.count("times", 1), fields.count("people", 1)
    to, end = read_way_on(fields, scope, "an event")
    if is_account_event(name):
        for key in ("who", "people"):
            if key in fields.raw:
                fields.problem(
                    "wrong-context",
                    key,
                    f"{name} is an event of the account; {key} is for people's events",
                )
    arguments = {key: value for key, value in fields.raw.items() if key not in EVERYONES}
    fields.seen += list(arguments)
    event = parse_event(name, arguments, fields.path, scope.conditions, fields.report)
    if not fields.finish() or event is None:
        return None
    return ListenEvent(
        event=name,
        type=event.type,
        where=event.where,
        who=who,
        times=times,
        people=people,
        next=to,
        end=end,
    )


def _read_timeout(fields: Fields, scope: JourneyScope) -> Timeout | None:
    after, until = fields.duration("after"), fields.moment("until")
    ends_on, zone = fields.ends_on(scope.slots), fields.zone()
    to, end = read_way_on(fields, scope, "a timeout")
    if fields.raw.get("after") is not None and fields.raw.get("until") is not None:
        fields.problem("bad-value", "until", "a timeout takes after or until, not both")
    if fields.fine and after is None and until is None and ends_on is None:
        fields.problem("missing-key", None, "a timeout needs after, until or ends_on")
    if not fields.finish():
        return None
    return Timeout(after=after, until=until, ends_on=ends_on, zone=zone, next=to, end=end)
