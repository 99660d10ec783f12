"""``caravan journey test-send SLUG --to ADDRESS``: every mail of a journey, to one address."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from caravan.delivery.headers import structured
from caravan.delivery.message import Letter, message_id
from caravan.simulation.run import Asked, BadLines
from caravan.simulation.sent_mail import SentMail, simulate_mail
from starter.errors import UserError
from starter.import_data import tell_bad_rows
from starter.output import as_instant, plainly, plural
from starter.proof_sending import ToOption, mailable, send_letters
from starter.scratch import scratch_dsn
from starter.session import run
from starter.simulate import check, lines_of, progress_bar, refused
from starter.validate import instant, read_workspace

#: more than that are not sent without asking
MANY = 20


def send_all_mail(
    slug: Annotated[str, typer.Argument(help="The journey's slug.", metavar="SLUG")],
    to: ToOption,
    directory: Annotated[
        Path,
        typer.Option("--dir", help="The workspace: a folder of YAML files and templates."),
    ] = Path(),
    account: Annotated[
        str | None, typer.Option("--account", help="Only the mail of this account.")
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
    """Walk a whole journey in virtual time and send every mail it would send to one address.

    It goes by the workspace's data files on throw-away stores, as `caravan simulate` does, and by SMTP_URL
    (the running stack's mail capture, where that is not set). Each subject says for whom the mail is, at
    which node and when; no ledger knows of it. More than 20 are sent only if you say so.

    Try: `caravan journey test-send grid-nurture --dir examples/grid-analytics --account acc-01 --to me@us.example`
    """
    address = mailable(to)
    begin = instant(at)
    workspace = read_workspace(directory, begin)
    check(directory, workspace, slug)
    end = instant(until) if until is not None else None
    lines = lines_of(directory, workspace, events)
    asked = Asked(workspace, slug, begin, end, workspace.data, lines)
    try:
        with scratch_dsn() as dsn, progress_bar(slug) as progress:
            rehearsed = run(simulate_mail(dsn, asked, account, progress))
    except BadLines as error:
        raise refused(error.problems) from None
    tell_bad_rows(rehearsed.ran.reports)
    if not rehearsed.mail:
        of = f" for account {account}" if account else ""
        raise UserError(f"Journey {slug} sends no mail{of} with this data")
    if len(rehearsed.mail) > MANY and not yes:
        question = f"{plural(len(rehearsed.mail), 'message')} to {address}. Send them?"
        typer.confirm(question, abort=True, err=True)
    now = datetime.now(UTC)
    sent = run(
        send_letters(
            [to_one_address(one, number, address, now) for number, one in enumerate(rehearsed.mail)]
        )
    )
    plainly(f"{plural(sent, 'message')} of {slug} sent to {address}")


def to_one_address(mail: SentMail, number: int, address: str, now: datetime) -> Letter:
    """A mail of a rehearsal for whoever looks at it; what they see first is whose it is."""
    letter = mail.outgoing.write
    assert isinstance(letter, Letter)
    place = f"{mail.journey}/{mail.node}"
    what = f"{mail.person} of {mail.account} at {place}, {mail.at:%Y-%m-%d %H:%M} UTC"
    said = "; ".join(
        f"{name}={value.encode('ascii', 'backslashreplace').decode()}"
        for name, value in (
            ("account", mail.account),
            ("entry", str(mail.entry)),
            ("person", mail.person),
            ("node", place),
            ("template", mail.template),
            ("at", as_instant(mail.at)),
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
