"""``caravan report emails``: what was sent, and what people did with it."""

import csv
import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from caravan.reports.emails import EmailCounts, EmailRow, emails, together
from caravan.reports.wording import rate, with_rate
from starter.errors import UserError
from starter.output import Format, as_instant, as_json, cell, console, show
from starter.session import Session, SubscriptionOption, known_journey, run_with
from starter.validate import instant


class ReportFormat(StrEnum):
    """How to print a report of e-mails."""

    table = "table"
    csv = "csv"
    json = "json"


def report_emails(
    journeys: Annotated[
        list[str] | None,
        typer.Option("--journey", help="Messages of this journey alone; may be repeated."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", help="Messages from then on: 2026-03-01 or an instant."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Messages before then.")] = None,
    form: Annotated[
        ReportFormat, typer.Option("--format", help="table, csv or json.")
    ] = ReportFormat.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Report each e-mail's messages: sent, delivered, opened, clicked, bounced, unsubscribed, and the rates.

    Sent: the relay took it. Delivered: it has not come back. Opened and clicked: at least once, by people;
    who clicked has opened it too. Rates: delivered, bounced of sent; opened, clicked, unsubscribed of
    delivered; click to open: clicked of opened. Skipped and in doubt were not sent as far as anybody knows:
    caravan mail tells why.
    """
    since = instant(start) if start is not None else None
    until = instant(end) if end is not None else None
    if since is not None and until is not None and since >= until:
        raise UserError(f"The period ends ({cell(until)}) before it starts ({cell(since)})")

    async def body(session: Session) -> None:
        pool = await session.engage()
        for slug in journeys or ():
            await known_journey(pool, slug)
        async with pool.acquire() as conn:
            rows = await emails(conn, journeys, since, until)
        _print(rows, form, since, until)

    run_with(subscription, body)


def told(row: EmailRow) -> dict[str, Any]:
    """One e-mail as JSON."""
    return (
        {"email": row.email}
        | _numbers(row.counts)
        | {"first_at": row.first_at, "last_at": row.last_at}
    )


def table_of(rows: list[EmailRow]) -> list[dict[str, Any]]:
    """The rows as people read them, with a last one for all."""
    shown = [(row.email, row.counts) for row in rows]
    if len(rows) > 1:
        shown.append(("all", together(rows)))
    return [_shown(name, counts) for name, counts in shown]


def _print(
    rows: list[EmailRow], form: ReportFormat, since: datetime | None, until: datetime | None
) -> None:
    if form is ReportFormat.json:
        every = {"from": since, "to": until, "emails": [told(row) for row in rows]}
        print(as_json(every | {"all": _numbers(together(rows))}))
    elif form is ReportFormat.csv:
        lines = [told(row) for row in rows]
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(told(EmailRow("", EmailCounts(), None, None)))
        writer.writerows(map(_csv_value, line.values()) for line in lines)
    else:
        show(table_of(rows), Format.table, empty="no message yet")
        if any(row.counts.by_machine for row in rows):
            console.print("by machine: opened or clicked by a known automatic agent", markup=False)


def _csv_value(value: Any) -> Any:
    return as_instant(value) if isinstance(value, datetime) else value


def _numbers(counts: EmailCounts) -> dict[str, Any]:
    return {**counts.__dict__, **counts.rates}


def _shown(name: str, counts: EmailCounts) -> dict[str, Any]:
    rates = counts.rates
    return {
        "email": name,
        "sent": counts.sent,
        "delivered": with_rate(counts.delivered, rates["delivery_rate"]),
        "opened": with_rate(counts.opened, rates["open_rate"]),
        "clicked": with_rate(counts.clicked, rates["click_rate"]),
        "click to open": rate(rates["click_to_open_rate"]),
        "bounced": with_rate(counts.bounced, rates["bounce_rate"]),
        "unsubscribed": with_rate(counts.unsubscribed, rates["unsubscribe_rate"]),
        "by_machine": counts.by_machine or None,
        "skipped": counts.skipped or None,
        "refused": counts.refused or None,
        "in_doubt": counts.in_doubt or None,
        "waiting": counts.waiting or None,
    }
