"""Worker processes: how they start, what they show, and that they stop when they should."""

import asyncio
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from caravan.stack.processes import wait_for
from caravan.stack.stack import ROOT, Stack
from caravan.stack.temporal import binary
from tests.deployed import WITHOUT_SYNC
from tests.world import MAIL

GRACEFUL, MARGIN = 3.0, 5.0  # seconds; the margin is the worker's own 3 and some for the machine

WORKSPACE = """
workspace: work
subscription: {munchkin: work-1, sandbox: work-box}
sender: {name: Us, email: us@us.example}
postal_address: 1 Street
data: data/
---
audience: everyone
of: accounts
when: {account: {name: {empty: false}}}
---
journey: hops
audience: everyone
schedule: {end: 30 days}
start: mail
nodes:
  mail:
    do: [{send_email: {template: hi}}, {update_account: {field: source_type, value: seen}}]
    next: rest
  rest: {wait: 1 second, next: mail2}
  mail2:
    do: [{send_email: {template: hi}}]
    next: mail
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The embedded stack with a journey that never ends."""
    with tempfile.TemporaryDirectory(prefix="caravan worker ", ignore_cleanup_errors=True) as top:
        folder = Path(top) / "ws"
        (folder / "data").mkdir(parents=True)
        (folder / "emails").mkdir()
        (folder / "ws.yaml").write_text(WORKSPACE)
        (folder / "emails" / "hi.html").write_text(MAIL.format(name="hi"))
        (folder / "data" / "accounts.csv").write_text(
            "account_id,name\n" + "".join(f"a{n},Acme {n}\n" for n in range(20))
        )
        (folder / "data" / "people.csv").write_text(
            "person_id,email,first_name,account_id\n"
            + "".join(f"p{n},person{n}@secret.example,Zebedee,a{n}\n" for n in range(20))
        )
        running = Stack(Path(top) / "home", postgres_settings=WITHOUT_SYNC)
        running.start()
        subprocess.run(
            [sys.executable, "-m", "starter", "apply", str(folder)],
            cwd=ROOT, env={**os.environ, "CARAVAN_HOME": str(running.home)}, check=True, capture_output=True,
        )  # fmt: skip
        yield running
        running.discard()


class Running:
    """A worker process and its log."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process, self.log = process, log

    def said(self, text: str, times: int = 1) -> bool:
        return self.log.read_text(encoding="utf-8").count(text) >= times

    def until_said(self, text: str, times: int = 1, patience: float = 40) -> None:
        assert wait_for(lambda: self.said(text, times), patience), self.log.read_text()

    def ends_within(self, patience: float) -> int:
        start = time.monotonic()
        code = self.process.wait(patience)
        assert time.monotonic() - start < patience
        return code


Start = Callable[..., Running]


@pytest.fixture
def start(stack: Stack, tmp_path: Path) -> Iterator[Start]:
    """Starts workers; those that still run at the end of the test are killed."""
    started: list[Running] = []

    def go(*arguments: str, **settings: str) -> Running:
        log = tmp_path / f"worker-{len(started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "worker.py", *arguments],
                cwd=ROOT,
                env={
                    **os.environ,
                    "CARAVAN_HOME": str(stack.home),
                    "GRACEFUL_SECONDS": str(GRACEFUL),
                    **settings,
                },
                stdout=output,
                stderr=output,
            )
        started.append(Running(process, log))
        return started[-1]

    yield go
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


@contextmanager
def stopped(stack: Stack, name: str) -> Iterator[None]:
    """A part of the stack that hangs: it takes connections and answers nothing."""
    pid = stack.notes["processes"][name]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.long
def test_worker_stops_while_accounts_travel_and_while_the_relay_hangs(
    stack: Stack, start: Start
) -> None:
    travelling = start()
    travelling.until_said("mail sent", 5)
    travelling.process.send_signal(signal.SIGTERM)
    assert travelling.ends_within(GRACEFUL + MARGIN) == 0

    waiting = start()
    waiting.until_said("mail sent", 5)
    with stopped(stack, "mail"):
        waiting.process.send_signal(signal.SIGINT)
        assert waiting.ends_within(GRACEFUL + MARGIN) == 0


@pytest.mark.long
def test_worker_stops_while_a_store_is_down(stack: Stack, start: Start) -> None:
    worker = start()
    worker.until_said("mail sent", 5)
    stack.stop(only="postgres")
    try:
        worker.until_said("waits and tries again")
        time.sleep(LOCAL_PATIENCE_AND_MORE)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.ends_within(GRACEFUL + MARGIN) == 0
        assert worker.said("worker stopped"), worker.log.read_text()

        refused = start()
        assert refused.ends_within(30) == 1
        [sentence] = refused.log.read_text().strip().splitlines()
        assert "No Postgres answers" in sentence
    finally:
        stack.start(["postgres"])


#: seconds: local activities have become timers by then, and some are being tried
LOCAL_PATIENCE_AND_MORE = 4.0


@pytest.mark.long
def test_second_signal_stops_at_once(stack: Stack, start: Start) -> None:
    worker = start(GRACEFUL_SECONDS="60")
    worker.until_said("mail sent", 3)
    with stopped(stack, "mail"):
        time.sleep(1.5)  # sends hang by now
        worker.process.send_signal(signal.SIGINT)
        worker.until_said("worker stopping")
        worker.process.send_signal(signal.SIGINT)
        assert worker.ends_within(2) == 128 + signal.SIGINT


@pytest.mark.long
def test_one_dead_process_ends_all(start: Start) -> None:
    group = start("--processes", "2")
    group.until_said("worker ready", 2)
    children = [
        json.loads(line)["pid"]
        for line in group.log.read_text().splitlines()
        if "worker ready" in line
    ]
    os.kill(children[0], signal.SIGKILL)
    assert group.ends_within(GRACEFUL + MARGIN) == 1
    assert group.said("a worker process died"), group.log.read_text()
    with pytest.raises(ProcessLookupError):
        os.kill(children[1], 0)


@pytest.mark.long
def test_children_follow_their_parent(start: Start) -> None:
    group = start("--processes", "2")
    group.until_said("worker ready", 2)
    group.process.kill()
    group.until_said("worker stopped", 2, patience=GRACEFUL + MARGIN)


def test_metrics_and_logs_show_work_and_nothing_personal(stack: Stack, start: Start) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    worker = start("--metrics-port", str(port), LOG_LEVEL="debug")
    worker.until_said("mail sent", 5)

    def metrics() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            return str(answer.read().decode())

    assert wait_for(lambda: "caravan_sync_lag_seconds" in metrics(), 30)
    for metric in (
        'caravan_mails_total{activity_type="email.send"',
        "caravan_steps_total{",
        "caravan_sync_lag_rows{",
        'caravan_accounts_inside{munchkin="work-1"} 20',
        'caravan_wakeups_waiting{munchkin="work-1"}',
        "temporal_workflow_task_execution_latency",
    ):
        assert metric in metrics()
    lines = [json.loads(line) for line in worker.log.read_text().splitlines()]
    sent = next(line for line in lines if line["event"] == "mail sent")
    assert {"timestamp", "level", "node", "traversal", "munchkin", "workflow_id"} <= sent.keys()
    log = worker.log.read_text()
    assert [word for word in ("secret.example", "Zebedee", "Acme") if word in log] == []


def status_of(stack: Stack) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "starter", "status", "--format", "json"],
        cwd=ROOT, env={**os.environ, "CARAVAN_HOME": str(stack.home)}, check=True, capture_output=True,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.long
def test_status_tells_which_queues_nobody_polls(stack: Stack, start: Start) -> None:
    def working() -> dict[str, int]:
        return {row["queue"]: row["workers"] for row in status_of(stack)["queues"]}

    worker = start("--roles", "journeys,streams")
    assert wait_for(lambda: sum(working().values()) == 2, 30)
    assert working() == {"journeys": 1, "email": 0, "calls": 0, "decisions": 0, "streams": 1}
    assert "`python worker.py --roles email,calls,decisions`" in status_of(stack)["advice"]
    worker.process.kill()
    worker.process.wait()
    assert set(working().values()) == {0}
    assert "`caravan up`" in status_of(stack)["advice"]


@pytest.mark.long
async def test_stream_ended_by_hand_is_started_again(stack: Stack, start: Start) -> None:
    worker = start("--roles", "streams")
    worker.until_said("worker ready")
    client = await Client.connect(stack.notes["temporal_address"])
    for workflow_id in ("platform-sync/work-1", "admission/work-1/hops/1"):
        await client.get_workflow_handle(workflow_id).terminate("by hand")
    for workflow_id in ("platform-sync/work-1", "admission/work-1/hops/1"):
        for _ in range(100):
            description = await client.get_workflow_handle(workflow_id).describe()
            if description.status is WorkflowExecutionStatus.RUNNING:
                break
            await asyncio.sleep(0.25)
        assert description.status is WorkflowExecutionStatus.RUNNING, workflow_id


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"TEMPORAL_ADDRESS": "127.0.0.1:1"}, ("127.0.0.1:1", "TEMPORAL_ADDRESS")),
        ({"TEMPORAL_NAMESPACE": "nope"}, ("nope",)),
        ({"SMTP_URL": "http://x"}, ("SMTP_URL",)),
        ({"PLATFORM_DSN": "postgresql://me:sesame@127.0.0.1:1/x"}, ("127.0.0.1:1", "PLATFORM_DSN")),
    ],
)
def test_worker_that_cannot_start_says_why_in_one_sentence(
    start: Start, settings: dict[str, str], words: tuple[str, ...]
) -> None:
    worker = start(**settings)
    assert worker.ends_within(30) == 1
    sentence = worker.log.read_text().strip().splitlines()[-1]
    assert all(word in sentence for word in words), sentence
    assert "Traceback" not in worker.log.read_text()
    assert "sesame" not in worker.log.read_text()


@pytest.mark.long
def test_remedy_for_missing_search_attributes_is_a_command_that_works(
    stack: Stack, start: Start
) -> None:
    address, bare = stack.notes["temporal_address"], {"TEMPORAL_NAMESPACE": "bare"}
    subprocess.run(
        [binary(), "operator", "namespace", "create", "--namespace", "bare", "--address", address],
        check=True, capture_output=True,
    )  # fmt: skip
    told = start("--roles", "journeys", **bare)
    assert told.ends_within(30) == 1
    remedy = re.search(r"bare lacks the search attributes .*: run `(.*)`", told.log.read_text())
    assert remedy is not None, told.log.read_text()
    for command in remedy[1].split(" && "):
        subprocess.run([binary(), *shlex.split(command)[1:]], check=True, capture_output=True)
    start("--roles", "journeys", **bare).until_said("worker ready")


@pytest.mark.long
async def test_worker_refuses_a_store_that_is_not_up_to_date(stack: Stack, start: Start) -> None:
    conn = await asyncpg.connect(stack.notes["platform_dsn"])
    await conn.execute("insert into public.pairings (sandbox, munchkin) values ('half', 'half-1')")
    try:
        worker = start()
        assert await asyncio.to_thread(worker.ends_within, 40) == 1
        [sentence] = worker.log.read_text().strip().splitlines()
        assert "sandbox_half" in sentence
        assert "caravan apply" in sentence
    finally:
        await conn.execute("delete from public.pairings where sandbox = 'half'")
        await conn.close()
