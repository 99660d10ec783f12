"""``caravan sync``: what flows between the engage store and the Platform."""

import typer

app = typer.Typer(
    no_args_is_help=True, help="What flows between the engage store and the Platform store."
)


@app.callback()
def _group() -> None:
    """What flows between the engage store and the Platform store."""
