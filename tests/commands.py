"""Commands run in the tests' own process: each process of their own costs a second of imports alone."""

import io
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess
from unittest.mock import patch

from starter.main import main

#: as a process of its own would have ended
Ended = CompletedProcess[str]


def caravan(*arguments: str, **environment: str) -> Ended:
    """Run a command with these settings; its exit code and what it said.

    In a thread, where it may have a loop of its own whatever runs in ours.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment),
        patch.object(sys, "argv", ["caravan", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
        ThreadPoolExecutor(1) as thread,
    ):
        code = thread.submit(_run).result(timeout=90)
    return CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def _run() -> int:
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
