"""``POST /events``: other systems say what happened, one event or a batch.

The key is looked up before the body is read. Events are recorded in the Platform store by the code that imports
files, once each by their id, and flow down within a second. Each gets a verdict of its own: a batch of which some
cannot be taken is not to be sent again as a whole, though it may be.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from caravan.database.erasures import ErasureKey
from caravan.engage.event_keys import holder, subscription_of
from caravan.gateway.bodies import whole_body
from caravan.gateway.errors import refusal
from caravan.gateway.subscriptions import Subscriptions
from caravan.journeys.limits import USUAL, Limits
from caravan.platform.event_lines import EventRow, Unreadable, event_of, read_json
from caravan.platform.events import record_events

#: events of a request, bytes of its body, and seconds for all of them to come
MOST_EVENTS, LARGEST, LONGEST = 1_000, 1_000_000, 20.0

log = structlog.get_logger("caravan.gateway")


class BadEvents(ValueError):
    """The body holds no events; says why."""


class EventIntake:
    """Takes events of all subscriptions."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        now: Callable[[], datetime],
        erasure_key: ErasureKey | None = None,
        limits: Limits = USUAL,
    ) -> None:
        self._subscriptions = subscriptions
        self._erasure_key = erasure_key
        self._now = now
        self._limits = limits

    async def take(self, request: Request) -> Response:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        munchkin = subscription_of(key.strip()) if scheme.lower() == "bearer" else None
        if munchkin is None:
            return _unknown(request)
        pool = await self._subscriptions.engage(munchkin)
        name = await holder(pool, key.strip()) if pool is not None else None
        if name is None:
            return _unknown(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return refusal(request, 415, "INVALID_REQUEST", "events come as application/json")
        content = await whole_body(request, "the request", largest=LARGEST, longest=LONGEST)
        try:
            events = read_events(content, self._limits)
        except BadEvents as error:
            return refusal(request, 400, "VALIDATION_ERROR", str(error))
        return await self._recorded(munchkin, name, events)

    async def _recorded(self, munchkin: str, name: str, events: list[EventRow | str]) -> Response:
        good = [(place, event) for place, event in enumerate(events) if isinstance(event, EventRow)]
        refused = {place: why for place, why in enumerate(events) if isinstance(why, str)}
        new: set[int] = set()
        if good:
            recorded = await record_events(
                await self._subscriptions.platform(munchkin),
                [event for _, event in good],
                self._now(),
                self._erasure_key,
            )
            refused |= {good[at][0]: why for at, why in recorded.refused.items()}
            new = {good[at][0] for at in recorded.new}
        verdicts = [_verdict(place, event, refused, new) for place, event in enumerate(events)]
        counts = {
            "recorded": len(new),
            "repeated": len(events) - len(new) - len(refused),
            "refused": len(refused),
        }
        log.info("events", munchkin=munchkin, key=name, **counts)
        return JSONResponse({**counts, "events": verdicts})


def read_events(content: bytes, limits: Limits = USUAL) -> list[EventRow | str]:
    """The events of a body, a list or one alone; where one is none, why.

    Raises:
        BadEvents: it is no JSON, says a key twice, or holds none or too many.
    """
    try:
        said = read_json(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadEvents("it is not UTF-8") from None
    except Unreadable as error:
        raise BadEvents(str(error)) from None
    events = [said] if isinstance(said, dict) else said
    if not isinstance(events, list) or not events:
        raise BadEvents("one event, or a list of events, was expected")
    if len(events) > MOST_EVENTS:
        raise BadEvents(f"at most {MOST_EVENTS} events at once; there are {len(events)}")
    rows = [event_of(event, place, "events", limits) for place, event in enumerate(events)]
    return [row if isinstance(row, EventRow) else row.reason for row in rows]


def _verdict(
    place: int, event: EventRow | str, refused: dict[int, str], new: set[int]
) -> dict[str, Any]:
    told: dict[str, Any] = {"id": event.id if isinstance(event, EventRow) else None}
    if place in refused:
        return told | {"verdict": "refused", "reason": refused[place]}
    return told | {"verdict": "recorded" if place in new else "repeated"}


def _unknown(request: Request) -> Response:
    refused = refusal(request, 401, "UNAUTHORIZED", "the key is missing or unknown")
    refused.headers["WWW-Authenticate"] = "Bearer"
    return refused
