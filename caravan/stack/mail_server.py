"""The mail capture: an SMTP server that accepts everything and delivers nothing.

Run as ``python -m caravan.stack.mail_server --port 1025 --directory DIR``: each message becomes a
file, and a line of ``messages.jsonl``.
"""

import argparse
import asyncio
import email
import email.policy
import fcntl
import hashlib
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

INDEX = "messages.jsonl"


class Keep:
    """Writes what arrives; the file first, its line after, so a line always has a file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        headers = email.message_from_bytes(content, policy=email.policy.default)
        name = hashlib.sha256(content).hexdigest()[:32] + ".eml"
        (self._directory / name).write_bytes(content)
        line = {
            "at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "message_id": str(headers["Message-ID"] or ""),
            "subject": str(headers["Subject"] or ""),
            "file": name,
        }
        with (
            index_held(self._directory),
            (self._directory / INDEX).open("a", encoding="utf-8") as index,
        ):
            index.write(json.dumps(line, ensure_ascii=False) + "\n")
        return "250 kept"


@contextmanager
def index_held(directory: Path) -> Iterator[None]:
    """Nobody else writes the index meanwhile: it may be replaced by one with fewer lines."""
    with (directory / "index.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def captured(directory: Path) -> Iterator[dict[str, Any]]:
    """What was captured, in order."""
    index = directory / INDEX
    if index.exists():
        with index.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


async def serve(host: str, port: int, directory: Path) -> None:
    """Serve until told to stop."""
    keep = Keep(directory)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keep, enable_SMTPUTF8=True, hostname="capture.localhost", loop=loop),
        host,
        port,
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with server:
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="capture mail on loopback")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(serve("127.0.0.1", given.port, given.directory))


if __name__ == "__main__":
    main()
