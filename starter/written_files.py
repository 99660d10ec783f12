"""Writing what a model proposed, once somebody has said yes: into the workspace, and over nothing unasked."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

import typer

from caravan.ai.drafts import Unconfined, inside
from starter.errors import UserError


def ensure_somebody_decides(yes: bool, what: str) -> None:
    """Refuse before anything is asked and paid for where nobody could say yes to it."""
    if not yes and not sys.stdin.isatty():
        raise UserError(f"{what} only on yes, and there is no terminal to ask on: give --yes")


def sure(question: str, yes: bool) -> bool:
    """Ask whoever sits there; on stderr, so that what is printed can be kept."""
    return yes or typer.confirm(question, err=True)


def write_files(
    directory: Path, files: Mapping[str, str], *, over: frozenset[str] = frozenset()
) -> list[Path]:
    """Write files of a workspace.

    Args:
        directory: the workspace.
        files: texts by file.
        over: those that may be there already; any other that is there is left as it is.
    """
    try:
        paths = {file: inside(directory, file) for file in files}
    except Unconfined as error:
        raise UserError(str(error)) from None
    if there := [file for file, path in paths.items() if path.exists() and file not in over]:
        raise UserError(f"{there[0]} has come to be there meanwhile; nothing was written")
    for file, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, files[file]) if path.exists() else _create(path, files[file])
    return list(paths.values())


def _create(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as new:
        new.write(text)


def _replace(path: Path, text: str) -> None:
    """Nobody reads half of it, and it keeps its mode."""
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=".", delete=False
    ) as draft:
        draft.write(text)
    os.chmod(draft.name, path.stat().st_mode)
    os.replace(draft.name, path)
