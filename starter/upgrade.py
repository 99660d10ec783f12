"""``caravan upgrade --check``: whether the workflows that run replay with the code at hand."""

from typing import Annotated

import typer

from activities.connection import connect
from activities.replay_check import Checked, check
from caravan.settings import Settings
from starter.errors import Failed, UserError
from starter.output import Format, FormatOption, plural, show
from starter.progress import bar, follow
from starter.session import run


def upgrade(
    only_check: Annotated[
        bool, typer.Option("--check", help="Replay running workflows; change nothing.")
    ] = False,
    sample: Annotated[
        int, typer.Option("--sample", min=1, help="How many workflows of each type.")
    ] = 100,
    form: FormatOption = Format.table,
) -> None:
    """Check that running workflows replay with this code, before you start workers with it.

    Run it with the new code, against the Temporal of the old. Exits 1 if any does not replay.
    """
    if not only_check:
        raise UserError(
            "give --check; stores are brought up to date by `caravan apply`, workers by starting them anew"
        )

    async def body() -> list[Checked]:
        client = await connect(Settings.load())
        with bar("workflows") as progress:
            moved = follow(progress)
            return await check(client, sample, lambda name, done, of: moved(name, done, done, of))

    checked = run(body())
    rows = [
        {
            "type": one.type,
            "running": one.running,
            "replayed": one.replayed,
            "failed": len(one.failures),
            "failures": [
                {"workflow": workflow_id, "error": error}
                for workflow_id, error in sorted(one.failures.items())
            ],
        }
        for one in checked
    ]
    show(rows, form, columns=("type", "running", "replayed", "failed"))
    failures = [failure for one in rows for failure in one["failures"]]  # type: ignore[attr-defined]
    if failures and form is Format.table:
        show(failures, form, title="Do not replay")
    if failures:
        raise Failed(
            f"This code does not replay {plural(len(failures), 'workflow')}: keep the old workers running"
        )
