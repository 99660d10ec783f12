"""``caravan buying-group``: the commands about one group, and about the jobs that make them."""

import typer

from starter import (
    buying_group_changes,
    buying_group_jobs,
    buying_group_show,
    buying_group_upkeep,
    explain_group,
)

app = typer.Typer(
    no_args_is_help=True,
    help="A buying group: who is in it, how far it is, why, and changes by hand; the jobs that make groups.",
)


@app.callback()
def _group() -> None:
    """A buying group: who is in it, how far it is, why, and changes by hand; the jobs that make groups."""


app.command("show")(buying_group_show.show_group)
app.command("explain")(explain_group.explain_group)
app.command("assign")(buying_group_changes.assign)
app.command("remove")(buying_group_changes.remove)
app.command("set-stage")(buying_group_changes.set_stage)
app.command("set-status")(buying_group_changes.set_status)
app.command("jobs")(buying_group_jobs.jobs)
app.command("upkeep")(buying_group_upkeep.upkeep)
