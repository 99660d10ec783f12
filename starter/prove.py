"""``caravan prove``: the ledger against the mail and texts that were taken, and against workflow histories."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from activities.connection import connect
from activities.send_histories import histories
from caravan.campaigns.proving import (
    Compared,
    against_histories,
    against_log,
    against_status,
    lasting,
)
from caravan.engage import sql
from caravan.settings import read_environment, read_stack_file
from caravan.stack.mail_server import captured
from caravan.stack.stack import Stack
from starter.delivery import whole
from starter.errors import Failed, UserError
from starter.output import Format, FormatOption, as_json, console, plainly, plural, show
from starter.session import Session, SubscriptionOption, known_journey, run_with

#: seconds after which what differs is looked at again: it may just have been under way
AGAIN = 2.0


def prove(
    journey: Annotated[
        str | None, typer.Option("--journey", help="Only messages of this journey, by its slug.")
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            help='The provider\'s log: a line {"message_id": "<…>"} for each message it took. '
            "Else the mail that the embedded stack has captured.",
        ),
    ] = None,
    texts_log: Annotated[
        Path | None,
        typer.Option(
            "--texts-log",
            help='The log of the provider of texts: a line {"sid": "SM…"} for each that it took.',
        ),
    ] = None,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Compare the ledger with the mail and texts that were taken and with workflow histories; exit 1 where they differ.

    Every message that the ledger calls accepted was taken, once; nothing else was, save what it calls in doubt; and
    what each send told its workflow is what the ledger has. Of texts also what the provider's callbacks have said
    became of them. What differs is looked at twice, for messages may be under way.
    """
    logs = {"mail": log, "text": texts_log}

    async def body(session: Session) -> dict[str, Any]:
        pool = await session.engage()
        if journey is not None:
            await known_journey(pool, journey)
        told = await _compare(session, pool, journey, logs)
        if told["differences"]:
            await asyncio.sleep(AGAIN)
            again = await _compare(session, pool, journey, logs)
            again["differences"] = lasting(told["differences"], again["differences"])
            told = again
        return told

    told = run_with(subscription, body)
    differences = [
        {"what": one.what, "about": one.about, "told": one.told} for one in told["differences"]
    ]
    if form is Format.json:
        print(as_json({**told, "differences": differences}))
    else:
        _print(told, differences)
    if differences:
        raise Failed(
            f"{plural(len(differences), 'difference')} between ledger, messages and histories"
        )


async def _compare(
    session: Session, pool: Any, slug: str | None, logs: Mapping[str, Path | None]
) -> dict[str, Any]:
    rows = await sql.fetch(pool, "messages_to_prove", slug=slug)
    mail = [row for row in rows if row["carrier"] == "mail"]
    texts = [row for row in rows if row["carrier"] == "text"]
    source, taken = _mail_taken(logs["mail"], session)
    by_mail = _by_log(mail, taken, slug)
    by_texts = _by_log(texts, _logged(logs["text"], "sid"), slug)
    by_status = against_status(texts)
    sends = await sql.fetch(pool, "sends_to_prove", slug=slug)
    client = await connect(session.settings)
    ids = sorted({row["workflow_id"] for row in sends})
    by_history = against_histories(sends, await histories(client, ids))
    return {
        "ledger": dict(sorted(Counter(row["state"] for row in rows).items())),
        "log": source,
        "mail": by_mail.counts,
        "texts_log": str(logs["text"]) if logs["text"] is not None else None,
        "texts": by_status.counts | by_texts.counts,
        "histories": by_history.counts,
        "differences": sorted(
            {
                *by_mail.differences,
                *by_texts.differences,
                *by_status.differences,
                *by_history.differences,
            }
        ),
    }


def _by_log(messages: Sequence[Any], taken: Counter[str] | None, slug: str | None) -> Compared:
    if taken is None:
        return Compared()
    found = against_log(messages, taken)
    if slug is not None:
        found.counts.pop("unknown to this ledger")  # most are of other journeys
    return found


def _mail_taken(log: Path | None, session: Session) -> tuple[str | None, Counter[str] | None]:
    """Where it is said what was taken, and that; None where there is no such place."""
    if log is not None:
        return str(log), _logged(log, "message_id")
    home = read_environment().caravan_home
    ours = read_stack_file(home).get("smtp_url")
    if ours is None or ours != session.settings.smtp_url:
        return None, None
    directory = Stack(home).mail_directory
    return str(directory), Counter(line["message_id"] for line in captured(directory))


def _logged(log: Path | None, key: str) -> Counter[str] | None:
    """How often each was taken, by a provider's log; None: there is none."""
    if log is None:
        return None
    try:
        with log.open(encoding="utf-8") as lines:
            return Counter(_ids(log, lines, key))
    except OSError as error:
        raise UserError(f"{log} cannot be read: {error.strerror}") from None


def _ids(log: Path, lines: Iterable[str], key: str) -> Iterable[str]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            identity = str(json.loads(line)[key]).strip()
        except (ValueError, TypeError, KeyError):
            raise UserError(f'{log} line {number}: expected a JSON object with "{key}"') from None
        yield whole(identity) if key == "message_id" else identity


def _print(told: dict[str, Any], differences: list[dict[str, str]]) -> None:
    rows = [
        {"where": "ledger", "what": state, "messages": n} for state, n in told["ledger"].items()
    ]
    show(rows, Format.table, title="Ledger", columns=("what", "messages"), empty="no messages yet")
    console.print()
    if told["log"] is None:
        plainly(
            "no mail to compare with: SMTP_URL is a relay of your own; give its log with --log FILE"
        )
    else:
        rows = [{"what": what, "messages": n} for what, n in told["mail"].items()]
        show(rows, Format.table, title=f"Mail taken, by {told['log']}")
    console.print()
    if told["texts"]["accepted"] or told["texts_log"] is not None:
        rows = [{"what": what, "messages": n} for what, n in told["texts"].items()]
        by = f"{told['texts_log']} and " if told["texts_log"] is not None else ""
        show(rows, Format.table, title=f"Texts, by {by}the provider's callbacks")
        if told["texts_log"] is None:
            plainly("no log of texts to compare with; give the provider's with --texts-log FILE")
        console.print()
    rows = [{"what": what, "number": n} for what, n in told["histories"].items()]
    show(rows, Format.table, title="Workflow histories")
    console.print()
    show(
        differences,
        Format.table,
        title="Differences",
        empty="none: ledger, messages and histories agree",
    )
