"""Events as other systems say them in JSON, whichever way they come in: what is one, and why another is none."""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from caravan.journeys.limits import USUAL, Limits
from caravan.platform.file_maps import FileSource
from caravan.platform.source_files import NOT_UTF8, BadRow, Counted, bad_id, is_text

#: bytes of one event's line
LONGEST_LINE = 1_000_000
#: of lists and objects within each other, the event's own among them
MOST_LEVELS = 50
_BOM = b"\xef\xbb\xbf"
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Unreadable(ValueError):
    """A text that is no JSON we read; says why."""


@dataclass(frozen=True)
class EventRow:
    """One event, and the line that said it."""

    id: str
    type: str
    at: datetime
    account: str | None
    person: str | None
    fields: dict[str, Any]
    line: int


@dataclass
class EventSource:
    """JSON Lines of events: a file, or a stream that ``path`` only names."""

    path: Path
    limits: Limits = USUAL
    whose: FileSource = field(default_factory=FileSource)
    problems: list[BadRow] = field(default_factory=list)
    bytes_read: int = 0
    stream: BinaryIO | None = None

    def rows(self) -> Iterator[EventRow]:
        """The good events in order; the bad ones go to ``problems``."""
        if self.stream is not None:
            yield from self._rows(self.stream)
            return
        with self.path.open("rb") as raw:
            yield from self._rows(raw)

    def _rows(self, raw: BinaryIO) -> Iterator[EventRow]:
        lines = _lines(io.BufferedReader(Counted(raw, self)))
        for number, line in enumerate(lines, 1):
            content = line.removeprefix(_BOM) if number == 1 else line
            if not content.strip():
                continue
            event = _of_line(content, number, self.path.name, self.limits)
            if isinstance(event, EventRow):
                yield _of_source(event, self.whose)
            else:
                self.problems.append(event)


def _of_source(event: EventRow, whose: FileSource) -> EventRow:
    """The event with ids as everybody knows them; its own too, for another source may use the same."""
    return replace(
        event,
        id=whose.id_of("id", event.id),
        account=whose.id_of("account_id", event.account) if event.account else None,
        person=whose.id_of("person_id", event.person) if event.person else None,
    )


def read_event(line: str, number: int, file: str, limits: Limits = USUAL) -> EventRow | BadRow:
    """One line as an event."""
    try:
        return event_of(read_json(line), number, file, limits)
    except Unreadable as error:
        return BadRow(file, number, str(error))


def event_of(said: Any, number: int, file: str, limits: Limits = USUAL) -> EventRow | BadRow:
    """What JSON said as an event; ``id`` absent is derived from the rest.

    Args:
        said: from ``read_json``.
        number: of the line or place it has.
        file: where it comes from.
        limits: how many fields it may have.
    """

    def bad(reason: str) -> BadRow:
        return BadRow(file, number, reason)

    if not isinstance(said, dict):
        return bad("an event is an object")
    if why := unkept(said):
        return bad(why)
    fields = dict(said)
    kind, at = fields.pop("type", None), fields.pop("at", None)
    identity = fields.pop("id", None)
    person, account = fields.pop("person_id", None), fields.pop("account_id", None)
    if not isinstance(kind, str) or not kind:
        return bad("type is missing")
    try:
        instant = datetime.fromisoformat(at)
        instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return bad("at takes an instant such as 2026-03-01T08:00:00Z")
    if identity is None:
        identity = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:40]
    if len(fields) > limits.event_fields:
        return bad(
            f"has {len(fields)} fields; an event has at most {limits.event_fields} "
            + limits.over("event_fields")
        )
    named = {"type": kind, "id": identity, "person_id": person, "account_id": account}
    for name, value in named.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int):
            return bad(f"{name} takes a text")
        if why := bad_id(str(value)):
            return bad(f"{name} {why}")
    if person is None and account is None:
        return bad("an event is of a person_id or an account_id")
    return EventRow(
        id=str(identity),
        type=kind,
        at=instant,
        account=str(account) if account is not None else None,
        person=str(person) if person is not None else None,
        fields=fields,
        line=number,
    )


def read_json(text: str) -> Any:
    """What a text of JSON says.

    Raises:
        Unreadable: it is no JSON, or none that says one thing: with a key twice in one object, say.
    """
    try:
        return json.loads(text, object_pairs_hook=_once_each)
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"no JSON: {error.msg} at character {error.pos + 1}") from None
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("has a number of too many digits") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Unreadable("an object says a key twice")
    return made


def unkept(said: dict[str, Any]) -> str | None:
    """Why a store cannot keep what JSON can say; None where it can."""
    if _is_deeper(said, MOST_LEVELS):
        return f"has more than {MOST_LEVELS} levels of lists and objects within each other"
    try:
        written = json.dumps(said, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return "has a number that is none (NaN) or out of range"
    if not is_text(written):
        return "has half a character (a lone surrogate)"
    if _NUL.search(written):
        return "has a NUL character"
    return None


def _is_deeper(said: Any, most: int) -> bool:
    """Level by level, for how deep a function may call itself depends on who calls it."""
    level = [said]
    for _ in range(most):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return any(isinstance(one, dict | list) for one in level)


def _of_line(line: bytes, number: int, file: str, limits: Limits) -> EventRow | BadRow:
    if len(line) > LONGEST_LINE:
        return BadRow(file, number, f"the line is longer than {LONGEST_LINE} bytes")
    try:
        return read_event(line.decode(), number, file, limits)
    except UnicodeDecodeError:
        return BadRow(file, number, NOT_UTF8)


def _lines(raw: io.BufferedReader) -> Iterator[bytes]:
    """Lines without what ends them; of one that is too long so much as shows it."""
    while line := raw.readline(LONGEST_LINE + 1):
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = raw.readline(LONGEST_LINE + 1)
        yield line.removesuffix(b"\n")
