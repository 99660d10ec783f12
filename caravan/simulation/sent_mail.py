"""The mail of a journey in virtual time: every message it would send, for whom and from where."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from caravan.delivery.transport import Outgoing
from caravan.simulation import sql
from caravan.simulation.run import Asked, Progress, Ran, run
from caravan.simulation.throw_away import throw_away_pair


@dataclass(frozen=True)
class SentMail:
    """One message, and the visit that sent it."""

    account: str
    entry: int
    node: str
    person: str
    template: str
    at: datetime
    journey: str  # or the campaign that was requested on the way
    outgoing: Outgoing


@dataclass(frozen=True)
class Rehearsed:
    """A run with its mail, in the order in which it was sent."""

    ran: Ran
    mail: Sequence[SentMail]


async def simulate_mail(
    dsn: str, asked: Asked, account: str | None = None, progress: Progress = lambda _: None
) -> Rehearsed:
    """Simulate a journey and give back the mail it sent.

    All accounts travel, for what one of them gets may depend on the others.

    Args:
        dsn: a database in which schemas may be made and dropped.
        asked: what to simulate.
        account: whose mail is given back; None: everybody's.
        progress: told now and then how far it is.

    Raises:
        BadLines: a line speaks of an account or a person that is not there.
    """
    async with throw_away_pair(dsn) as pair:
        ran = await run(pair, replace(asked, keep_mail=True), progress)
        written = {message.message_id: message for message in ran.mail}
        rows = await sql.fetch(pair.engage, "mail_sent", account=account)
    mail = [
        SentMail(
            account=row["account"],
            entry=row["entry"],
            node=row["node"],
            person=row["person"],
            template=row["template"],
            at=row["at"],
            journey=row["slug"].rpartition(":")[2],
            outgoing=written[row["message_id"]],
        )
        for row in rows
    ]
    return Rehearsed(ran, mail)
