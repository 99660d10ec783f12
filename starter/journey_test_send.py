"""``caravan journey test-send SLUG --to ADDRESS``: every message of a journey, by mail to one address."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from caravan.delivery.headers import structured
from caravan.delivery.message import Letter, Sender, message_id
from caravan.simulation.run import Asked, BadLines
from caravan.simulation.sent_messages import SentMessage, rehearse
from starter.embedder import embedder
from starter.errors import UserError
from starter.import_data import tell_bad_rows
from starter.output import as_instant, plainly, plural
from starter.proof_sending import ToOption, mailable, send_letters
from starter.scratch import scratch_dsn
from starter.session import run
from starter.simulate import known_journey, lines_of, progress_bar, refused, tell_titles_unread
from starter.validate import instant, runnable_workspace

#: more than that are not sent without asking
MANY = 20


def send_all_messages(
    slug: Annotated[str, typer.Argument(help="The journey's slug.", metavar="SLUG")],
    to: ToOption,
    directory: Annotated[
        Path,
        typer.Option("--dir", help="The workspace: a folder of YAML files and templates."),
    ] = Path(),
    account: Annotated[
        str | None, typer.Option("--account", help="Only the messages of this account.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When it is published. Absent: now.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Where to stop. Absent: the end date.")
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option("--events", help="JSON Lines of what happens meanwhile, as in `simulate`."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Walk a whole journey in virtual time and send every message it would send to one address.

    Text messages and sales alerts come by mail too, a text under the number it is for: no provider is asked. It goes by the workspace's data files on throw-away stores, as `caravan simulate` does, and by SMTP_URL
    (the running stack's mail capture, where that is not set). Each subject says for whom a message is, at
    which node and when; no ledger knows of it. More than 20 are sent only if you say so.

    Try: `caravan journey test-send grid-nurture --dir examples/grid-analytics --account acc-01 --to me@us.example`
    """
    address = mailable(to)
    begin = instant(at)
    workspace = runnable_workspace(directory, begin)
    known_journey(directory, workspace, slug)
    end = instant(until) if until is not None else None
    lines = lines_of(directory, workspace, events)
    asked = Asked(workspace, slug, begin, end, workspace.data, lines, embedder=embedder())
    try:
        with scratch_dsn() as dsn, progress_bar(slug) as progress:
            rehearsed = run(rehearse(dsn, asked, account, progress))
    except BadLines as error:
        raise refused(error.problems) from None
    tell_bad_rows(rehearsed.ran.reports)
    tell_titles_unread([rehearsed.ran.titles_unread])
    if not rehearsed.messages:
        of = f" for account {account}" if account else ""
        raise UserError(f"Journey {slug} sends nothing{of} with this data")
    if len(rehearsed.messages) > MANY and not yes:
        question = f"{plural(len(rehearsed.messages), 'message')} to {address}. Send them?"
        typer.confirm(question, abort=True, err=True)
    now = datetime.now(UTC)
    us = workspace.settings.sender
    # a workspace may leave its sender to its templates, which texts have none of
    sender = Sender(us.name, us.email or address)
    sent = run(
        send_letters(
            [
                to_one_address(one, number, sender, address, now)
                for number, one in enumerate(rehearsed.messages)
            ]
        )
    )
    plainly(f"{plural(sent, 'message')} of {slug} sent to {address}")


def to_one_address(
    message: SentMessage, number: int, sender: Sender, address: str, now: datetime
) -> Letter:
    """A message of a rehearsal for whoever looks at it; what they see first is whose it is."""
    letter = message.letter(sender)
    place = f"{message.journey}/{message.node}"
    what = f"{message.person} of {message.account} at {place}, {message.at:%Y-%m-%d %H:%M} UTC"
    said = "; ".join(
        f"{name}={value.encode('ascii', 'backslashreplace').decode()}"
        for name, value in (
            ("account", message.account),
            ("entry", str(message.entry)),
            ("person", message.person),
            ("node", place),
            ("message", message.what),
            ("at", as_instant(message.at)),
        )
    )
    # a mailbox drops what bears an id it has seen: each rehearsal's are its own
    identity = message_id(
        f"test-send/{now.isoformat()}/{number}", letter.sender.email.rpartition("@")[2]
    )
    return letter.to(
        address,
        prefix=f"[Test: {what}]",
        identity=identity,
        at=now,
        further=structured("X-Caravan-Test", said),
    )
