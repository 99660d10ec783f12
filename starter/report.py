"""``caravan report``: one report a file."""

import typer

from starter import report_buying_groups

app = typer.Typer(no_args_is_help=True, help="Reports, for people and as JSON.")


@app.callback()
def _group() -> None:
    """Reports, for people and as JSON."""


app.command("buying-groups")(report_buying_groups.report_buying_groups)
