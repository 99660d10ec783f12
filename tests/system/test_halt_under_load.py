"""Stop now: with many messages queued nothing leaves later than a second after the command has returned.

Worker processes of their own, the command line as a process of its own, and the clock of the relay.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from caravan.stack.stack import Stack
from tests.deployed import Deployed

WORKSPACE = """
workspace: ws
subscription: {munchkin: stop-now, sandbox: stop-now}
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
of: accounts
when: {account: {name: {empty: false}}}
---
journey: trip
audience: everyone
schedule: {end: 30 days}
start: hello
nodes:
  hello: {do: [{send_email: {template: hi}}], end: over}
"""
A_NODE = 20  # people


class Sink:
    """A relay that takes everything, answers each a while after its dot, and notes when it has it."""

    def __init__(self, answers_after: float) -> None:
        self.answers_after = answers_after
        self.taken: list[float] = []
        self._talks: set[asyncio.StreamWriter] = set()
        self.recipients: list[str] = []

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = int(self.server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self.server.close()
        for writer in list(self._talks):
            writer.close()
        await self.server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talks.add(writer)
        writer.write(b"220 sink\r\n")
        recipient = ""
        try:
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"RCPT":
                    recipient = line.decode().partition("<")[2].partition(">")[0]
                if verb == b"QUIT":
                    break
                if verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    self.taken.append(time.time())
                    self.recipients.append(recipient)
                    await asyncio.sleep(self.answers_after)
                writer.write(b"250 ok\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._talks.discard(writer)
            writer.close()


@pytest.fixture
async def sink(messages: int) -> AsyncIterator[Sink]:
    """Slow enough that few messages are gone before the command begins."""
    new = Sink(1.0 if messages == 2_000 else 0.05)
    await new.start()
    yield new
    await new.stop()


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    new = Deployed(tmp_path, "stop-now", WORKSPACE)
    yield new
    new.stack.discard()


LONG = [pytest.mark.long, pytest.mark.timeout(1100)]


@pytest.mark.parametrize(
    ("command", "messages"),
    [
        pytest.param("halt", 2_000, marks=LONG),
        # by the same standstill
        pytest.param("journey pause trip", 2_000, marks=LONG),
        pytest.param("journey abort trip --yes", 2_000, marks=LONG),
        pytest.param("halt", 50_000, marks=LONG),
        pytest.param("journey pause trip", 50_000, marks=LONG),
        pytest.param("journey abort trip --yes", 50_000, marks=LONG),
    ],
)
async def test_nothing_leaves_a_second_after_the_command_has_returned(
    sink: Sink,
    deployed: Deployed,
    messages: int,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accounts = messages // A_NODE
    deployed.write(
        "data/accounts.csv",
        "account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(accounts)),
    )
    deployed.write(
        "data/people.csv",
        "person_id,email,account_id\n"
        + "".join(f"p{n},p{n}@x.example,a{n % accounts}\n" for n in range(messages)),
    )
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{sink.port}")
    monkeypatch.setenv("CARAVAN_HOME", str(deployed.stack.home))
    monkeypatch.setenv("STARTS_PER_SECOND", "1000")
    monkeypatch.setenv("GRACEFUL_SECONDS", "2")  # what is stopped at the end has nothing to finish
    stack: Stack = deployed.stack
    await asyncio.to_thread(stack.start, ["postgres", "temporal"])
    await asyncio.to_thread(deployed.cli, "apply", str(deployed.folder))
    await asyncio.to_thread(stack.start_worker, ["--processes", "2"])
    # all inside, and some have gone: the others are queued
    await deployed.until("select count(*) from traversals where started", accounts, 600)
    await deployed.until("select count(*) from ledger where state = 'accepted'", 50)
    queued = messages - len(sink.taken)
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "starter", *command.split()],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    returned = time.time()
    await asyncio.sleep(6)
    last = max(sink.taken)
    print(f"{command}: {queued} queued; {ended.stdout.strip()}; last {last - returned:+.3f} s")
    assert last < returned + 1
    taken = len(sink.taken)
    assert taken < messages
    # what the ledger says has left is what the relay has, and the others stand where they were
    left = await deployed.count(
        "select count(*) from ledger where state in ('accepted', 'in_doubt', 'handed_over')"
    )
    if "abort" in command:
        # a workflow that is ended takes its send along: what had its word and was cut off is in doubt
        accepted = await deployed.count("select count(*) from ledger where state = 'accepted'")
        assert accepted <= taken <= left
        return
    assert left == taken
    lift = "resume-all" if command == "halt" else "journey resume trip"
    lifted = time.time()
    await asyncio.to_thread(deployed.cli, *lift.split())
    await deployed.until("select count(*) from ledger where state = 'accepted'", taken + 100, 60)
    print(f"{lift}: a hundred more after {time.time() - lifted:.1f} s")
    assert len(set(sink.recipients)) == len(sink.recipients)
