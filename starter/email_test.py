"""``caravan email test SLUG --to ADDRESS --person ID``: a proof, by the relay that mail goes by."""

from pathlib import Path
from typing import Annotated

import typer

from starter.output import plainly
from starter.proof_sending import ToOption, mailable, send_letters
from starter.proofs import (
    AccountOption,
    DataFilesOption,
    JourneyOption,
    PersonOption,
    SlugArgument,
    wanted,
)
from starter.session import run


def send_proof(
    slug: SlugArgument,
    to: ToOption,
    person: PersonOption,
    directory: Annotated[
        Path, typer.Argument(help="The workspace: a folder of YAML files and templates.")
    ] = Path(),
    account: AccountOption = None,
    journey: JourneyOption = None,
    data_files: DataFilesOption = False,
) -> None:
    """Send a proof: a mail as one person would get it, to an address of yours.

    It goes by SMTP_URL (the running stack's mail capture, where that is not set), its subject begins with
    [Proof], and no ledger, limit or report knows of it. Data and template are those of `email preview`.
    """
    address = mailable(to)
    found = wanted(directory, slug, person, account, journey, data_files=data_files)
    letter = found.letter(address)
    proof = letter.to(
        address, prefix="[Proof]", identity=letter.identity, at=letter.at, further=letter.further
    )
    run(send_letters([proof]))
    plainly(f"{slug} for {found.recipient.person} of {found.recipient.account} sent to {address}")
