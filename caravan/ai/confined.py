"""Where a model may name files: new ones inside the workspace, and nowhere else."""

import re
from pathlib import Path

_FILE = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,62}/){0,2}[a-z0-9][a-z0-9_-]{0,62}\.ya?ml")


class Unconfined(Exception):
    """A file would lie outside the workspace."""


def is_fit(file: str) -> bool:
    """Whether it names a YAML file in folders of its own: small letters, digits and dashes, no dots, no root."""
    return _FILE.fullmatch(file) is not None


def inside(directory: Path, file: str) -> Path:
    """The path of a file of a workspace.

    Raises:
        Unconfined: a link or a name leads out of it.
    """
    path = directory / file
    if not path.parent.resolve().is_relative_to(directory.resolve()) or path.is_symlink():
        raise Unconfined(f"{file} would lie outside {directory}: it is not written")
    return path
