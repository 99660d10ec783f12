"""``caravan event send``: say what happened, one event by options or many as JSON Lines."""

import json
import sys
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.limit_settings import read_limits
from caravan.platform.event_lines import EventRow, EventSource, event_of
from caravan.platform.events import BATCH, record_events
from caravan.platform.import_report import FileReport
from caravan.platform.source_files import BadRow
from starter.errors import Interrupted, UserError
from starter.import_data import tell_bad_rows
from starter.output import Format, FormatOption, as_json, counted, plainly
from starter.progress import bar, follow
from starter.session import Session, SubscriptionOption, run_with

app = typer.Typer(
    no_args_is_help=True,
    help="Events: say what people and accounts did; keys for systems that do.",
)

#: what names an event that was said by options, where a file has its name
OPTIONS = "event"


@app.callback()
def _group() -> None:
    """Events: say what people and accounts did; keys for systems that do."""


@app.command("send")
def send(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="TYPE", help="What happened: `form_filled`, or a type of your own."),
    ] = None,
    person: Annotated[
        str | None, typer.Option("--person", help="Who did it, by the id their team knows.")
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", help="The account it happened to, or for which they did it."),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="A field; may be given several times. A number, `true` and `false` are such, all else is text; '\"12\"' is text too.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", help="When it happened, such as 2026-03-01T08:00:00Z; now if not said."
        ),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option("--id", help="Names the event: sent again, it is not recorded again."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file", help="JSON Lines of events instead, as in events.jsonl; - is standard input."
        ),
    ] = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Send an event, or a file of them. They are heard within a second or so; journeys move by them.

    `caravan event send form_filled --person p-17 --set form=meeting`

    `zcat site.jsonl.gz | caravan event send --file -`

    An event counts when it says it happened: one of the past wakes a listener only where its time lies in the
    listener's window (`look_back`), and one more than 5 minutes ahead is refused. Exits 2 if any was refused; the
    others are recorded. All of it may be sent again: what has an id, or says the very same, is recorded once.
    """
    given = (person, account, fields, at, identity)
    if (kind is None) == (file is None):
        raise UserError("Say what happened, as TYPE or by --file FILE (- for standard input)")
    if file is not None and any(given):
        raise UserError("With --file the lines say who, when and what: leave the other options out")

    said = _said(kind, person, account, fields or [], at, identity) if kind is not None else None

    async def body(session: Session) -> FileReport:
        if file is not None:
            return await _send_lines(session, file)
        return await _send_one(session, event_of(said, 1, OPTIONS, read_limits()))

    try:
        report = run_with(subscription, body)
    except KeyboardInterrupt:
        raise Interrupted(
            "interrupted; what was recorded stays, send all of it again to go on"
        ) from None
    _tell(report, form)
    if report.bad:
        raise UserError("some events were refused; the others are recorded")


def _said(
    kind: str,
    person: str | None,
    account: str | None,
    fields: list[str],
    at: str | None,
    identity: str | None,
) -> dict[str, Any]:
    """What the options say, as a line of a file would."""
    said: dict[str, Any] = {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals or not name:
            raise UserError(f"--set takes FIELD=VALUE, not {field}")
        if name in said:
            raise UserError(f"--set says {name} twice")
        said[name] = _value(value)
    named = {"type": kind, "person_id": person, "account_id": account, "id": identity}
    named["at"] = at if at is not None else datetime.now(UTC).isoformat()
    if taken := sorted(named.keys() & said.keys()):
        raise UserError(f"{taken[0]} is no field: it has an option or an argument of its own")
    return said | {name: value for name, value in named.items() if value is not None}


def _value(text: str) -> Any:
    """A number, a boolean or a quoted text as JSON writes it; any other text as it stands."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, bool | int | float | str) else text


async def _send_one(session: Session, event: EventRow | BadRow) -> FileReport:
    report = FileReport(OPTIONS)
    if isinstance(event, BadRow):
        report.bad.append(event)
    else:
        await _record(session, [event], report)
    return report


async def _send_lines(session: Session, name: str) -> FileReport:
    """Batch by batch: of a long file never more than that is in memory."""
    stdin = name == "-"
    source = EventSource(
        Path("standard input" if stdin else name),
        read_limits(),
        stream=sys.stdin.buffer if stdin else None,
    )
    size = 0 if stdin else source.path.stat().st_size
    report = FileReport(source.path.name, bad=source.problems)
    rows = source.rows()
    with bar("events") as progress:
        moved = follow(progress)
        while batch := list(islice(rows, BATCH)):
            await _record(session, batch, report)
            moved(
                report.file,
                report.new + report.unchanged,
                source.bytes_read,
                size or source.bytes_read,
            )
    report.bad.sort(key=lambda bad: bad.line)
    return report


async def _record(session: Session, events: list[EventRow], report: FileReport) -> None:
    """Record events at the clock of now: a stream of them may be long under way."""
    recorded = await record_events(
        await session.platform(), events, datetime.now(UTC), session.erasure_key()
    )
    report.add_events(events, recorded)


def _tell(report: FileReport, form: Format) -> None:
    counts = {"recorded": report.new, "repeated": report.unchanged, "refused": len(report.bad)}
    if form is Format.json:
        problems = [
            {"file": bad.file, "line": bad.line, "reason": bad.reason} for bad in report.bad
        ]
        print(as_json({**counts, "problems": problems}))
        return
    tell_bad_rows([report])
    plainly(counted((what, count) for what, count in counts.items()))
