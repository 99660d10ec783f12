"""``caravan bounces import|fetch|list``: reports about mail that was sent, taken in from files or a mailbox."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan import mail_settings
from caravan.campaigns import bounces
from caravan.campaigns.plans import PlanCache
from caravan.delivery.bounce_reports import NotAReport, read_report
from caravan.delivery.mailboxes import ImapAddress, MailboxError, messages_in, open_imap
from caravan.engage import sql
from starter.errors import Failed, UserError
from starter.output import MOST, Format, FormatOption, as_json, counted, plainly, say, show
from starter.session import Session, SubscriptionOption, run_with

app = typer.Typer(
    no_args_is_help=True,
    help="Bounces and complaints: taken in from files or a mailbox, and what came so far.",
)


@app.callback()
def _group() -> None:
    """Bounces and complaints: taken in from files or a mailbox, and what came so far."""


class _Intake:
    """Takes in one message after another, and knows what became of them."""

    def __init__(self, session: Session, pool: Any) -> None:
        self._session, self._pool, self._plans = session, pool, PlanCache()
        self._return_path = mail_settings.return_path(session.settings)
        self.rows: list[dict[str, Any]] = []
        self.bad: list[dict[str, str]] = []

    async def take(self, name: str, content: bytes) -> None:
        try:
            reports = read_report(content)
        except NotAReport as error:
            self.bad.append({"file": name, "reason": str(error)})
            return
        for report in reports:
            taken = await bounces.take(
                self._pool,
                self._plans,
                report,
                datetime.now(UTC),
                munchkin=self._session.munchkin,
                return_path=self._return_path,
            )
            self.rows.append({"file": name, **asdict(taken)})

    def tell(self, form: Format, messages: int) -> None:
        if form is Format.json:
            print(as_json({"reports": self.rows, "problems": self.bad}))
        else:
            for bad in self.bad:
                say(f"{bad['file']}: {bad['reason']}")
            results = Counter(row["result"] for row in self.rows)
            told = counted((what, count) for what, count in sorted(results.items()))
            plainly(
                f"{messages} messages: {told or 'nothing to note'}, {len(self.bad)} were no reports"
            )


@app.command("import")
def import_reports(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Messages, mboxes, Maildirs, folders of .eml files; - for standard input."
        ),
    ],
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Take in bounces (DSN, RFC 3464) and complaints (ARF, RFC 5965) from files.

    An address that bounced for good is suppressed, other bounces are counted, a complaint suppresses and
    unsubscribes; journeys hear `email_bounced` and `email_unsubscribed`. A report counts once, however often it is
    taken in. Exits 2 if some messages were no reports.

    `caravan bounces import - < message.eml` is what a mail server's pipe runs.
    """

    async def body(session: Session) -> tuple[_Intake, int]:
        intake, messages = _Intake(session, await session.engage()), 0
        for name, content in _contents(files):
            messages += 1
            await intake.take(name, content)
        return intake, messages

    try:
        intake, messages = run_with(subscription, body)
    except MailboxError as error:
        raise UserError(str(error)) from None
    intake.tell(form, messages)
    if intake.bad:
        raise UserError("some messages were no reports; the rest was taken in")


def _contents(files: list[str]) -> Iterator[tuple[str, bytes]]:
    for file in files:
        if file == "-":
            yield "standard input", sys.stdin.buffer.read()
        else:
            yield from messages_in(Path(file))


@app.command("fetch")
def fetch(
    mailbox: Annotated[
        str, typer.Argument(help="imaps://user@host/Folder; an @ in the user's name is %40.")
    ],
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Take in the reports that wait unseen in a mailbox, as `import` does, and mark them as seen.

    The password is that of BOUNCE_MAILBOX_PASSWORD (or …_FILE). Messages that are no reports are marked too. Run
    it from cron; where it breaks off, the next run goes on.

    `caravan bounces fetch imaps://bounces%40us.example@mail.us.example/INBOX`
    """

    async def body(session: Session) -> tuple[_Intake, int]:
        password = session.settings.bounce_mailbox_password
        if not password:
            raise UserError("BOUNCE_MAILBOX_PASSWORD is not set: it opens the mailbox")
        address = ImapAddress.parse(mailbox)
        intake = _Intake(session, await session.engage())
        opened = open_imap(address, password)
        box = await asyncio.to_thread(opened.__enter__)
        try:
            waiting = await asyncio.to_thread(box.unseen)
            for uid in waiting:
                await intake.take(f"message {uid}", await asyncio.to_thread(box.read, uid))
                await asyncio.to_thread(box.mark, uid)  # once it is committed
        finally:
            await asyncio.to_thread(opened.__exit__, None, None, None)
        return intake, len(waiting)

    try:
        intake, messages = run_with(subscription, body)
    except MailboxError as error:
        raise Failed(str(error)) from None
    intake.tell(form, messages)


class Kind(StrEnum):
    """What was reported."""

    hard = "hard"
    soft = "soft"
    complaint = "complaint"


COLUMNS = ("at", "kind", "status", "email", "of_kind", "template", "journey", "told")


@app.command("list")
def list_reports(
    kind: Annotated[Kind | None, typer.Option("--kind", help="Only reports of this kind.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="How many at most.")] = 50,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """List the reports that were taken in, newest first; `of kind` counts them for the person."""

    async def body(session: Session) -> None:
        rows = await sql.fetch(
            await session.engage(), "mail_reports", kind=kind, person_id=None, limit=limit
        )
        show(rows, form, columns=COLUMNS, empty="no bounces and no complaints yet")

    run_with(subscription, body)
