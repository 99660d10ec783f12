"""Reading ``did`` and ``did_not``: an event, how often, by how many, and since when."""

from caravan.journeys.conditions.counts import read_count
from caravan.journeys.conditions.model import Did, Window
from caravan.journeys.conditions.reading_events import EventTests, parse_event, parse_free_event
from caravan.journeys.conditions.scope import Context, Scope, nearest
from caravan.journeys.durations import parse_duration
from caravan.journeys.events import EVENTS, GENERIC, TOLD, is_account_event
from caravan.journeys.problems import Path, Report
from caravan.journeys.written import shown

KEYS = ("event", "where", "at_least", "people", "within", "since")


def read_did(
    raw: object, context: Context, path: Path, scope: Scope, report: Report, *, negated: bool
) -> Did | None:
    """Read ``{event, where, at_least, people, within, since}``; ``type`` too for any event."""
    if not isinstance(raw, dict) or not isinstance(raw.get("event"), str):
        report("missing-key", path, "did names an event: {event: form_filled, within: 30 days}")
        return None
    keys = (*KEYS, "type") if raw["event"] == GENERIC else KEYS
    unknown = [key for key in raw if key not in keys]
    for key in unknown:
        report("unknown-key", (*path, key), f"no key {key}{nearest(key, keys)}")
    event = _event(raw, context, path, scope, report)
    at_least = read_count(raw, "at_least", 1, path, report, least=1)
    people = read_count(raw, "people", 1, path, report, least=1)
    if context == "person" and people is not None and people > 1:
        report("wrong-context", (*path, "people"), "people is for conditions on accounts")
        return None
    window = _window(raw, path, scope, report)
    if unknown or event is None or window is None or at_least is None or people is None:
        return None
    return Did(
        type=event.type,
        where=event.where,
        at_least=at_least,
        people=people,
        window=window,
        negated=negated,
    )


def _event(
    raw: dict[str, object], context: Context, path: Path, scope: Scope, report: Report
) -> EventTests | None:
    name, where, where_path = str(raw["event"]), raw.get("where"), (*path, "where")
    place = (*path, "type") if name == GENERIC and "type" in raw else (*path, "event")
    if name == GENERIC:
        event = parse_free_event(raw.get("type"), where, place, where_path, report)
    elif name not in EVENTS:
        event = parse_event(name, {}, place, scope, report)  # which says what is wrong with it
    elif where is not None and not isinstance(where, dict):
        report("bad-value", where_path, "where takes a mapping of the event's fields to tests")
        return None
    else:
        event = parse_event(name, dict(where or {}), where_path, scope, report)
    if event is None:
        return None
    if scope.store == "platform" and (why := _not_told(event.type, scope)) is not None:
        report("event-not-in-platform", place, why)
        return None
    if context == "person" and is_account_event(name):
        report(
            "wrong-context",
            place,
            f"{name} is an event of the account; ask for it in a condition on accounts",
        )
        return None
    return event


def _not_told(kind: str, scope: Scope) -> str | None:
    """Why the Platform knows of no such event, if it does not."""
    if kind not in EVENTS or not EVENTS[kind].engage:
        return None
    why = f"{kind} is born in the engage store; the Platform does not know it"
    if kind not in TOLD:
        return why
    if scope.activities_told:
        return None
    return f"{why} unless the workspace says `activities_to_platform: true`"


def _window(raw: dict[str, object], path: Path, scope: Scope, report: Report) -> Window | None:
    within, since = raw.get("within"), raw.get("since")
    if within is not None and (not isinstance(within, str) or parse_duration(within) is None):
        report(
            "bad-duration",
            (*path, "within"),
            f"{shown(within)} is not a duration, for example 30 days",
        )
        return None
    if since is not None and not scope.in_journey:
        report("wrong-context", (*path, "since"), "since is for conditions of journeys")
        return None
    if since is not None and since != "entry" and str(since) not in scope.nodes:
        near = nearest(since, scope.nodes)
        report("unknown-node", (*path, "since"), f"no node {since}{near}")
        return None
    return Window(
        within=within,
        since=str(since) if since is not None else None,
        in_journey=scope.in_journey,
    )
