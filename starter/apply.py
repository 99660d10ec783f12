"""``caravan apply DIR``: store every document; publish new and changed journeys."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from activities.connection import connect
from activities.stream_starts import ensure_admission, ensure_streams
from caravan.campaigns import storing
from caravan.campaigns.managed_fields import refuse_changes_in_use
from caravan.engage import halting, sql
from caravan.engage import journeys as engage_journeys
from caravan.engage.versions import PIN, Inside, Policy
from caravan.journeys.compiler import compile_journey
from caravan.journeys.workspace import Workspace
from caravan.pairing import Databases, pair
from caravan.platform.field_indexes import keep_indexes
from caravan.settings import Settings
from caravan.stores import Stores
from starter.errors import Interrupted, UserError
from starter.halt import tell_if_halted
from starter.import_data import import_workspace, tell_bad_rows
from starter.inside import InsideOption, became_of_those_inside, tell_of_those_inside
from starter.output import Format, FormatOption, as_json, plainly, show
from starter.personas import tell_personas
from starter.progress import bar, count
from starter.session import Session, open_stores, run
from starter.validate import DirectoryArgument, errors_in_words, read_workspace, tell
from starter.workers import tell_if_nobody_works

COLUMNS = ("journey", "version", "change", "campaigns", "plan")


def apply(
    directory: DirectoryArgument,
    draft: Annotated[bool, typer.Option("--draft", help="Only store; publish nothing.")] = False,
    data: Annotated[
        bool, typer.Option("--data/--no-data", help="Import the workspace's data files first.")
    ] = True,
    inside: InsideOption = Inside.pin,
    form: FormatOption = Format.table,
) -> None:
    """Store a workspace and publish its new and changed journeys.

    Validates first: with any error nothing is stored. Creates the workspace's subscription and sandbox
    if they are not there. Each journey is published whole or not at all; doing it again goes on where
    it was interrupted and changes nothing that has not changed. `--inside` is about the accounts inside
    earlier versions of the journeys that it publishes; `caravan journey plan` tells before what it would do.
    """
    if draft and inside is not Inside.pin:
        raise UserError("--inside is about publishing: give it to `caravan journey publish`")
    workspace = read_workspace(directory, datetime.now(UTC))
    if form is Format.table or workspace.errors:
        tell(directory, list(workspace.problems))
    if workspace.errors:
        raise UserError(f"{errors_in_words(workspace)}; nothing was stored or published")

    async def body() -> list[dict[str, Any]]:
        async with open_stores() as (settings, stores):
            rows = await apply_workspace(
                settings, stores, workspace, draft=draft, data=data, policy=Policy(inside)
            )
            munchkin = workspace.settings.pair.munchkin
            tell_if_halted(await halting.halted(await stores.engage(munchkin)), munchkin)
            return rows

    try:
        rows = run(body())
    except KeyboardInterrupt:
        raise Interrupted(
            "interrupted; no journey is half published, apply again to go on"
        ) from None
    if not draft:
        tell_if_nobody_works()
    if form is Format.json:
        print(as_json(rows))
    else:
        show(rows, form, columns=COLUMNS, empty="no journeys in this workspace")
        for row in rows:
            tell_of_those_inside(row["journey"], row.get("inside"))
        ended = [row["journey"] for row in rows if row["change"] == "ended"]
        for slug in ended:
            plainly(
                f"{slug}: its latest version has ended and is not published again by apply; store it with "
                f"`caravan apply --draft`, then `caravan journey publish {slug} --reopen`"
            )


async def apply_workspace(
    settings: Settings,
    stores: Stores,
    workspace: Workspace,
    *,
    draft: bool,
    data: bool,
    policy: Policy = PIN,
) -> list[dict[str, Any]]:
    """Provision the pair, store, publish, and see that what must run runs."""
    names = workspace.settings.pair
    # asked before anything is stored: without Temporal a published journey would stand still
    client = None if draft else await connect(settings)
    session = Session(settings, stores, names.munchkin)
    databases = Databases(settings.platform_dsn, settings.engage_dsn)
    with bar() as progress:
        await pair(
            databases,
            names.sandbox,
            names.munchkin,
            datetime.now(UTC),
            key=session.erasure_key(),
            told=count(progress),
        )
    if client is not None:
        await ensure_streams(client, [names.munchkin])
    platform, engage = await session.platform(), await session.engage()
    await refuse_changes_in_use(engage, platform, workspace)
    # ahead of the data, so that everybody is written with their persona
    await tell_personas(platform, list(workspace.personas.values()))
    if data:
        with bar() as progress:
            tell_bad_rows(await import_workspace(session, workspace, progress))
    at = datetime.now(UTC)
    await storing.store(engage, platform, workspace, at)
    await keep_indexes(platform)
    rows: list[dict[str, Any]] = []
    for compiled in [compile_journey(workspace, slug) for slug in sorted(workspace.journeys)]:
        stored = (
            await engage_journeys.store_draft(engage, compiled)
            if draft
            else await engage_journeys.publish(engage, compiled, at, policy)
        )
        rows.append(
            {
                "journey": stored.slug,
                "version": stored.version,
                "change": stored.change,
                "campaigns": len(compiled.campaigns),
                "plan": compiled.plan.hash[:12],
            }
        )
        became = await became_of_those_inside(engage, stored, policy)
        left = became is not None and became["policy"] == "exit" and became["accounts"]
        if became is not None and (stored.change == "published" or left):
            rows[-1]["inside"] = became
    if client is not None:
        for journey in await sql.fetch(engage, "running_journeys"):
            await ensure_admission(client, names.munchkin, journey)
    return rows
