"""``caravan email preview SLUG --person ID``: one mail as one person would get it, as files."""

from pathlib import Path
from typing import Annotated

import typer

from caravan.delivery.headers import one_line
from caravan.settings import read_environment
from starter.output import plainly
from starter.proofs import (
    AccountOption,
    DataFilesOption,
    JourneyOption,
    PersonOption,
    SlugArgument,
    wanted,
)

#: under the stack's folder, which nobody keeps in git
FOLDER = "previews"


def preview_email(
    slug: SlugArgument,
    person: PersonOption,
    directory: Annotated[
        Path, typer.Argument(help="The workspace: a folder of YAML files and templates.")
    ] = Path(),
    account: AccountOption = None,
    journey: JourneyOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where the files go. Absent: .caravan/previews."),
    ] = None,
    data_files: DataFilesOption = False,
) -> None:
    """Write a mail's HTML and text as one person would get it, from the template as it is in the folder.

    The data is the running store's, as of now: what a journey would say if it sent at this moment. With
    `--data-files` it is the workspace's data files', and nothing needs to run; there are no buying groups
    then. Nothing is sent, and nothing is noted.

    Try: `caravan email preview welcome examples/grid-analytics --person p-01-1 --data-files`
    """
    letter = wanted(directory, slug, person, account, journey, data_files=data_files).letter()
    folder = out or read_environment().caravan_home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    plainly(f"Subject: {one_line(letter.rendered.subject)}")
    plainly(f"From: {one_line(letter.sender.name)} <{letter.sender.email}>")
    for ending, content in (("html", letter.rendered.html), ("txt", letter.rendered.text)):
        file = folder / f"{slug}.{ending}"
        file.write_text(content, encoding="utf-8", errors="replace")
        plainly(str(file))
