"""``caravan email publish SLUG --live``: change an e-mail's copy in the versions that run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from caravan.engage import copies
from caravan.engage.copies import Changed, DoesNotFit
from starter.errors import UserError
from starter.output import Format, FormatOption, show
from starter.session import open_session, run
from starter.validate import errors_in_words, known_template, read_workspace, tell

app = typer.Typer(
    no_args_is_help=True,
    help="E-mail templates: how they look, proofs, and their copy in versions that run.",
)


@app.callback()
def _group() -> None:
    """E-mail templates: how they look, proofs, and their copy in versions that run."""


@app.command("publish")
def publish_email(
    slug: Annotated[str, typer.Argument(help="The template's slug.", metavar="SLUG")],
    directory: Annotated[
        Path, typer.Argument(help="The workspace: a folder of YAML files and templates.")
    ] = Path(),
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="In the versions that run, for messages not yet claimed: those in hand leave with the old copy.",
        ),
    ] = False,
    form: FormatOption = Format.table,
) -> None:
    """Change an e-mail's copy, and nothing else, in every version that runs and sends it.

    Messages that are not written yet are written with it. The versions stay what they were; the next one
    that is published has the copy of its workspace. In all of them or in none: what the copy speaks of
    must be known there.
    """
    if not live:
        raise UserError(
            "a template is published with its journeys, by `caravan apply`; give --live to change its copy "
            "in those that run"
        )
    workspace = read_workspace(directory, datetime.now(UTC))
    if workspace.errors:
        tell(directory, list(workspace.errors))
        raise UserError(f"{errors_in_words(workspace)}; no copy was changed")
    template = known_template(directory, workspace, slug)
    if slug in workspace.unapproved:
        raise UserError(
            f"unapproved-content: a model wrote {workspace.template_files[slug]} and nobody has approved it; read it, "
            "and name who did as approved_by in its front matter; no copy was changed"
        )

    async def body() -> list[Changed]:
        async with open_session(workspace.settings.pair.munchkin) as session:
            return await copies.publish(await session.engage(), template, datetime.now(UTC))

    try:
        changed = run(body())
    except DoesNotFit as error:
        raise UserError(
            f"The copy does not fit every running version, so none was changed: {error}"
        ) from None
    rows = [
        {
            "journey": one.journey,
            "version": one.version,
            "copy": one.copy,
            "change": "published" if one.copy is not None else "unchanged",
        }
        for one in changed
    ]
    show(rows, form, empty=f"no version that runs sends {slug}")
