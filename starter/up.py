"""``caravan up``: start the embedded stack and a worker, and leave them running."""

from typing import Annotated

import typer

from caravan.delivery.allowed_recipients import AllowedRecipients
from caravan.mail_settings import allowed_recipients
from caravan.settings import Settings, read_environment
from caravan.stack.stack import Stack
from starter.output import plainly


def up(
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Also start a worker with every role.")
    ] = True,
    processes: Annotated[int, typer.Option("--processes", min=1, help="Worker processes.")] = 1,
) -> None:
    """Start Postgres, Temporal with its Web UI, mail capture, the gateway and a worker under .caravan/.

    What runs already is left alone. Parts that are set by `TEMPORAL_ADDRESS`, `PLATFORM_DSN`,
    `ENGAGE_DSN`, `SMTP_URL` or `PUBLIC_URL` are not started. Stop everything with `caravan down`.
    """
    stack = Stack(read_environment().caravan_home)
    stack.start(parts_needed(), say=plainly)
    if worker:
        stack.start_worker(["--processes", str(processes)], say=plainly)
    if stack.runs("temporal"):
        plainly(f"Web UI: {stack.ui_address}")
    for line in restrictions(allowed_recipients(Settings.load())):
        plainly(line)
    plainly("Next: caravan apply DIR; stop with: caravan down")


def restrictions(allowed: AllowedRecipients | None) -> list[str]:
    """What to tell of who gets mail at all."""
    if allowed is None:
        return []
    return [f"Mail goes to {allowed.written} alone (ALLOW_RECIPIENTS); all others are skipped"]


def parts_needed() -> list[str]:
    """The parts of the stack that no setting replaces."""
    environment = read_environment()
    parts = []
    if not (environment.platform_dsn or environment.platform_dsn_file) or not (
        environment.engage_dsn or environment.engage_dsn_file
    ):
        parts.append("postgres")
    if not environment.temporal_address:
        parts.append("temporal")
    if not (environment.smtp_url or environment.smtp_url_file):
        parts.append("mail")
    if not environment.public_url:
        parts.append("gateway")
    return parts
