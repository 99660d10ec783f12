"""The starter: ``caravan``. Turns errors into sentences; its verbs are in ``verbs``, one file each."""

import io
import os
import sys
from typing import Annotated

import typer

from caravan import __version__
from caravan.garbage import collect_seldom
from starter.errors import FAILED
from starter.output import say
from starter.verbs import Verbs

app = typer.Typer(
    cls=Verbs,
    name="caravan",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(asked: bool) -> None:
    if asked:
        print(f"caravan {__version__}")
        raise typer.Exit


@app.callback()
def caravan(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Account journeys with buying groups: durable, explainable, scriptable."""


def main() -> None:
    """Run the CLI; a user's mistake ends in one sentence, never in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows a ?
    collect_seldom()
    try:
        app(prog_name="caravan")
    except BrokenPipeError:
        _close_quietly()
        sys.exit(FAILED)
    except Exception as error:
        from starter.sentences import (
            is_embedded,
            sentence,
        )  # what it knows errors by is slow to import

        told = sentence(error, embedded=is_embedded())
        if told is None:
            raise
        say(f"caravan: {told[0]}")
        sys.exit(told[1])


def _close_quietly() -> None:
    """The reader has gone (``| head``): what is still buffered has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
