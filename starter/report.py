"""``caravan report``: one report a file."""

import typer

from starter import report_buying_groups, report_emails, report_journey

app = typer.Typer(no_args_is_help=True, help="Report on journeys, e-mails and buying groups.")


@app.callback()
def _group() -> None:
    """Report on journeys, e-mails and buying groups."""


app.command("buying-groups")(report_buying_groups.report_buying_groups)
app.command("emails")(report_emails.report_emails)
app.command("journey")(report_journey.report_journey)
