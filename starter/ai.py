"""``caravan ai``: what models are asked for. Each verb is in a file of its own and joins in ``verbs``."""

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="What models are asked for: which one, what it has cost, and one on this machine to try.",
)


@app.callback()
def _group() -> None:
    """What models are asked for: which one, what it has cost, and one on this machine to try."""
