"""Sending what is no journey's: proofs and rehearsals, to an address somebody has named."""

from collections.abc import Sequence
from typing import Annotated

import typer

from caravan import mail_settings
from caravan.delivery.errors import RelayUnreachable
from caravan.delivery.message import Letter
from caravan.delivery.transport import Accepted, Outgoing
from caravan.journeys.addresses import is_mailable
from caravan.settings import Settings
from starter.errors import Failed, UserError

ToOption = Annotated[str, typer.Option("--to", help="The address that gets it.")]


def mailable(address: str) -> str:
    """The address, if mail can be sent to it."""
    if not is_mailable(address):
        raise UserError(f"--to: {address} is no mail address")
    return address


async def send_letters(letters: Sequence[Letter]) -> int:
    """Hand letters to the relay of SMTP_URL, one after another; nothing notes them.

    Returns:
        how many it took.

    Raises:
        Failed: it took not all of them; says how many, and its word on the next.
    """
    settings = Settings.load(needed=("smtp_url",))
    transport, allowed = mail_settings.relay(settings), mail_settings.allowed_recipients(settings)
    refused = [one.to_address for one in letters if allowed and not allowed.allows(one.to_address)]
    if refused:
        raise UserError(
            f"{refused[0]} may not be written to: ALLOW_RECIPIENTS is {allowed.written if allowed else ''}"
        )
    sent = 0
    async with transport.session() as session:
        for letter in letters:
            outgoing = Outgoing(letter.sender.email, letter.to_address, letter.identity, letter)
            try:
                verdict = await session.send(outgoing, _nothing)
            except RelayUnreachable as error:
                raise Failed(_so_far(str(error), sent, len(letters))) from None
            if not isinstance(verdict, Accepted):
                said = getattr(verdict, "reply", None) or getattr(verdict, "detail", "")
                why = f"The relay did not take it for {letter.to_address}: {said}"
                raise Failed(_so_far(why, sent, len(letters)))
            sent += 1
    return sent


async def _nothing() -> None:
    """No ledger has a last word on it."""


def _so_far(why: str, sent: int, of: int) -> str:
    return f"{why}; {sent} of {of} were sent" if of > 1 else why
