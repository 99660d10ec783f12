"""``caravan init DIR``: a small workspace to begin with."""

import re
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from starter.errors import UserError
from starter.output import plainly

MODEL = Path(__file__).parent / "new_workspace"
LONGEST = 40


def init(
    directory: Annotated[
        Path, typer.Argument(help="The folder to make; it may be there if empty.")
    ],
) -> None:
    """Write a small commented workspace that validates, tests green and simulates.

    Nothing is started and nothing published: look at the files, change them, run `caravan watch DIR`.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UserError(f"{directory} is there already; name a folder that is new or empty")
    slug = slug_of(directory)
    for model in sorted(MODEL.rglob("*")):
        if not model.is_file():
            continue
        file = directory / model.relative_to(MODEL)
        file.parent.mkdir(parents=True, exist_ok=True)
        text = Template(model.read_text(encoding="utf-8"))
        file.write_text(text.substitute(slug=slug, name=slug.replace("-", " ").title()), "utf-8")
        plainly(f"{file}")
    plainly(f"Next: caravan test {directory}; caravan watch {directory}")


def slug_of(directory: Path) -> str:
    """The folder's name as the name of a workspace."""
    name = re.sub(r"[^a-z0-9]+", "-", directory.resolve().name.lower()).strip("-")
    return name[:LONGEST].strip("-") or "workspace"
