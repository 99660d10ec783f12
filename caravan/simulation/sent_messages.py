"""The messages of a journey in virtual time: every one it would send, for whom and from where."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape

from caravan.delivery.message import Letter, Rendered, Sender
from caravan.delivery.texts import TextMessage
from caravan.delivery.transport import Outgoing
from caravan.simulation import sql
from caravan.simulation.run import Asked, Progress, Ran, run
from caravan.simulation.throw_away import throw_away_pair


@dataclass(frozen=True)
class SentMessage:
    """One message, and the visit that sent it."""

    account: str
    entry: int
    node: str
    person: str  # of an alert: the address it is for
    what: str  # the template, or else the action
    at: datetime
    journey: str  # or the campaign that was requested on the way
    outgoing: Outgoing

    def letter(self, sender: Sender) -> Letter:
        """It as a mail for whoever looks at it; ``sender`` is whom a text comes from then.

        A text is shown by mail too: a rehearsal needs no provider, costs nothing, and who reads it wants all
        messages in one place, in their order.
        """
        if isinstance(self.outgoing, TextMessage):
            return _shown(self.outgoing, sender, self.at)
        letter = self.outgoing.write
        assert isinstance(letter, Letter)
        return letter


def _shown(text: TextMessage, sender: Sender, at: datetime) -> Letter:
    number = text.segments
    subject = f"Text to {text.recipient}, {number} {'segment' if number == 1 else 'segments'}"
    html = f'<html><body><p style="white-space: pre-wrap">{escape(text.text)}</p></body></html>'
    return Letter(Rendered(subject, html, text.text), sender, sender.email, text.message_id, at)


@dataclass(frozen=True)
class Rehearsed:
    """A run with its messages, in the order in which they were sent."""

    ran: Ran
    messages: Sequence[SentMessage]


async def rehearse(
    dsn: str, asked: Asked, account: str | None = None, progress: Progress = lambda _: None
) -> Rehearsed:
    """Simulate a journey and give back the messages it sent: mail, texts and sales alerts.

    All accounts travel, for what one of them gets may depend on the others.

    Args:
        dsn: a database in which schemas may be made and dropped.
        asked: what to simulate.
        account: whose messages are given back; None: everybody's.
        progress: told now and then how far it is.

    Raises:
        BadLines: a line speaks of an account or a person that is not there.
    """
    async with throw_away_pair(dsn) as pair:
        ran = await run(pair, replace(asked, keep_mail=True), progress)
        written = {message.message_id: message for message in ran.mail}
        rows = await sql.fetch(pair.engage, "messages_sent", account=account)
    messages = [
        SentMessage(
            account=row["account"],
            entry=row["entry"],
            node=row["node"],
            person=row["person"],
            what=row["what"],
            at=row["at"],
            journey=row["journey"].rpartition(":")[2],
            outgoing=written[row["message_id"]],
        )
        for row in rows
    ]
    return Rehearsed(ran, messages)
