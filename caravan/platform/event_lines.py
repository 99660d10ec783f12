"""A JSON Lines file of events, read line by line."""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from caravan.platform.file_maps import FileSource
from caravan.platform.source_files import NOT_UTF8, BadRow, Counted, bad_id, is_text

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True)
class EventRow:
    """One event of a JSON Lines file."""

    id: str
    type: str
    at: datetime
    account: str | None
    person: str | None
    fields: dict[str, Any]
    line: int


@dataclass
class EventSource:
    """A JSON Lines file of events."""

    path: Path
    whose: FileSource = field(default_factory=FileSource)
    problems: list[BadRow] = field(default_factory=list)
    bytes_read: int = 0

    def rows(self) -> Iterator[EventRow]:
        """The good events in order; the bad ones go to ``problems``."""
        with self.path.open("rb") as raw:
            lines = io.TextIOWrapper(
                io.BufferedReader(Counted(raw, self)),
                encoding="utf-8-sig",
                errors="surrogateescape",
            )
            for number, line in enumerate(lines, 1):
                if line.strip():
                    event = read_event(line, number, self.path.name)
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


def read_event(line: str, number: int, file: str) -> EventRow | BadRow:
    """One line as an event; ``id`` absent is derived from what the line says."""

    def bad(reason: str) -> BadRow:
        return BadRow(file, number, reason)

    if not is_text(line):
        return bad(NOT_UTF8)
    event, reason = _read_object(line)
    if event is None:
        return bad(reason)
    return event_of(event, number, file)


def event_of(event: dict[str, Any], number: int, file: str) -> EventRow | BadRow:
    """An object as an event, where a store can keep what it says (``unkept``)."""

    def bad(reason: str) -> BadRow:
        return BadRow(file, number, reason)

    fields = dict(event)
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
        identity = hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()[:40]
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


def _read_object(line: str) -> tuple[dict[str, Any] | None, str]:
    """The object of a line, or why it has none that a store can keep."""
    try:
        event = json.loads(line)
    except RecursionError:
        return None, "is nested too deeply"
    except json.JSONDecodeError as error:
        return None, f"no JSON: {error.msg} at character {error.pos + 1}"
    except ValueError:
        return None, "has a number of too many digits"
    if not isinstance(event, dict):
        return None, "one object a line was expected"
    why = unkept(event)
    return (event, "") if why is None else (None, why)


def unkept(event: dict[str, Any]) -> str | None:
    """Why a store cannot keep what JSON can say; None where it can."""
    try:
        written = json.dumps(event, ensure_ascii=False, allow_nan=False)
    except RecursionError:
        return "is nested too deeply"
    except ValueError:
        return "has a number that is none (NaN) or out of range"
    if not is_text(written):
        return "has half a character (a lone surrogate)"
    if _NUL.search(written):
        return "has a NUL character"
    return None
