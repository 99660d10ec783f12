"""``python -m starter`` is the same as ``caravan``: the process of one command."""

import logging
import os
import sys
from contextlib import suppress

from starter.main import main


def program() -> None:
    """Run the command and end the process.

    Not by way of the interpreter's end: threads of Temporal's core may still call into it, and it would
    die of that with everything said and done.
    """
    code = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the reader has gone
            stream.flush()
    logging.shutdown()
    os._exit(code)


if __name__ == "__main__":
    program()
