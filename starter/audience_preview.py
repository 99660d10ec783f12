"""``caravan audience preview SLUG|FILE``: who would be in an audience now, and by which SQL."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from caravan.journeys.workspace import Workspace
from caravan.platform import audiences
from caravan.platform.audience_preview import Preview, preview
from caravan.platform.audiences import StoredAudience
from starter.audience import unknown
from starter.errors import UserError
from starter.output import MOST, Format, FormatOption, as_json, plainly, show
from starter.session import SubscriptionOption, open_session, run
from starter.validate import runnable_workspace

#: how documents of a file begin
_AUDIENCE = re.compile(r"^audience:\s*['\"]?([a-z0-9][a-z0-9-]*)", re.MULTILINE)
_WORKSPACE = re.compile(r"^workspace:", re.MULTILINE)


def preview_audience(
    audience: Annotated[
        str,
        typer.Argument(
            help="The audience's slug, or a YAML file of a workspace with the audience in it.",
            metavar="SLUG|FILE",
        ),
    ],
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="Ask what this workspace says, applied or not, and not what is stored."
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, max=MOST, help="How many members in the sample.")
    ] = 10,
    show_sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL with its parameters, too.")
    ] = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Count an audience as of now and show some of its members. Changes nothing.

    `caravan audience preview energy` asks by the stored condition; `--dir DIR`, or a file of a workspace,
    by the one that is written there, before it is applied. The data is that of the Platform store.
    """
    slug, workspace = _written(audience, directory)

    async def body() -> None:
        munchkin = subscription
        if munchkin is None and workspace is not None:
            munchkin = workspace.settings.pair.munchkin
        async with open_session(munchkin) as session:
            pool = await session.platform()
            said: Mapping[str, StoredAudience] = await audiences.stored(pool)
            if workspace is not None:
                said = audiences.written(workspace.audiences, workspace.settings.zone)
            if slug not in said:
                if workspace is None:
                    raise unknown(slug, set(said))
                raise UserError(f"No audience {slug} in {workspace.directory}")
            at = datetime.now(UTC)
            _tell(slug, await preview(pool, slug, said, at, limit), at, form, show_sql=show_sql)

    run(body())


def _written(audience: str, directory: Path | None) -> tuple[str, Workspace | None]:
    """Which audience is meant, and the workspace that says what it is; None: the store does."""
    file = Path(audience)
    if directory is None and file.suffix not in (".yaml", ".yml"):
        return audience, None
    slug = audience
    if directory is None:
        slug, directory = _only_one_in(file), _workspace_of(file)
    return slug, runnable_workspace(directory, datetime.now(UTC))


def _only_one_in(file: Path) -> str:
    if not file.is_file():
        raise UserError(f"{file} is no file; give a file of a workspace, or an audience's slug")
    slugs = _AUDIENCE.findall(file.read_text(encoding="utf-8"))
    if len(slugs) != 1:
        there = f"has the audiences {', '.join(slugs)}" if slugs else "has no audience"
        raise UserError(f"{file} {there}; name one, with its workspace: SLUG --dir DIR")
    return str(slugs[0])


def _workspace_of(file: Path) -> Path:
    """The nearest folder above with a file that describes a workspace."""
    for folder in file.resolve().parents:
        for one in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
            if one.is_file() and _WORKSPACE.search(one.read_text("utf-8", errors="replace")):
                return folder
    raise UserError(f"{file} is in no workspace; name its folder with --dir")


def _tell(slug: str, found: Preview, at: datetime, form: Format, *, show_sql: bool) -> None:
    whom = "account" if found.of == "accounts" else "person"
    named = "account_name" if found.of == "accounts" else "email"
    sample = [{whom: one, named: name} for one, name in found.sample]
    if form is Format.json:
        told: dict[str, Any] = {
            "audience": slug,
            "of": found.of,
            "at": at,
            "members": found.members,
            "sample": sample,
        }
        if show_sql:
            told |= {"sql": found.sql, "parameters": list(found.parameters)}
        print(as_json(told))
        return
    noun = whom if found.members == 1 else found.of
    plainly(f"{slug}: {found.members} {noun} now")
    if sample:
        show(sample, form)
        if found.members > len(sample):
            plainly(f"and {found.members - len(sample)} more; --limit shows more")
    if show_sql:
        plainly("")
        plainly(found.sql)
        for number, value in enumerate(found.parameters, 1):
            plainly(f"-- ${number} = {as_json(value)}")
