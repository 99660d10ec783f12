"""The embedded stack as a whole: start what does not run, note it in ``stack.json``, stop it again.

Starting is idempotent: what runs is left running, what died is started anew on its data. A process is
noted before it is waited for, so that one whose start was interrupted can still be stopped.
"""

import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caravan.settings import STACK_FILE, read_stack_file
from caravan.stack import postgres, temporal
from caravan.stack.processes import (
    Process,
    StackError,
    alive,
    answers,
    free_port,
    spawn,
    stop,
    wait_until_ready,
)

TEMPORAL_PORT, UI_PORT, MAIL_PORT, GATEWAY_PORT = 7233, 8233, 1025, 8088
PARTS = ("postgres", "temporal", "mail", "gateway")
#: what a stack puts into its home; ``stack.json`` last, so that removing it can be done again
CONTENTS = ("postgres", "postgres.new*", "temporal.db*", "mail", "logs", "stack.new", STACK_FILE)

Say = Callable[[str], None]
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Part:
    """One part of the stack as ``status`` shows it."""

    part: str
    running: bool
    pid: int | None
    address: str


class Stack:
    """The stack under one home directory."""

    def __init__(self, home: Path, *, postgres_settings: Mapping[str, str] | None = None) -> None:
        self.home = home.resolve()
        self._postgres_settings = postgres_settings or {}
        self._notes: dict[str, Any] = read_stack_file(self.home)

    @property
    def notes(self) -> dict[str, Any]:
        """What ``stack.json`` says: addresses and processes."""
        return self._notes

    @property
    def mail_directory(self) -> Path:
        return self.home / "mail"

    @property
    def ui_address(self) -> str:
        return f"http://127.0.0.1:{self._notes.get('ui_port', UI_PORT)}"

    def start(self, parts: Iterable[str] = PARTS, say: Say = lambda _line: None) -> None:
        """Start the parts that do not run.

        Raises:
            StackError: says which part did not start and where its log is.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o755)
        for key in ("bounce_key", "erasure_key"):
            self._notes.setdefault(key, secrets.token_urlsafe(32))
        self._write()
        for part in parts:
            {
                "postgres": self._postgres,
                "temporal": self._temporal,
                "mail": self._mail,
                "gateway": self._gateway,
            }[part](say)

    def start_worker(
        self, arguments: list[str], say: Say = lambda _line: None, name: str = "worker"
    ) -> Process:
        """Start a worker process of ours on this stack."""
        if self.runs(name):
            say(f"{name} runs already")
            return self._process(name)
        process = spawn(
            name,
            [sys.executable, str(ROOT / "worker.py"), *arguments],
            self._log(name),
            environment={"CARAVAN_HOME": str(self.home), "PYTHONPATH": str(ROOT)},
        )
        self._note(process)
        say(f"worker runs (pid {process.pid})")
        return process

    def stop(self, say: Say = lambda _line: None, only: str | None = None) -> None:
        """Stop what runs, workers first, Postgres last."""
        self._stop(say, only, postgres.stop_signal())

    def _stop(
        self, say: Say, only: str | None, for_postgres: int, *, unfinished: bool = False
    ) -> None:
        order = [name for name in self._processes() if name not in PARTS]
        for name in [*order, "gateway", "mail", "temporal", "postgres"]:
            if name in self._processes() and only in (None, name):
                process = self._process(name)
                if alive(process):
                    number = for_postgres if name == "postgres" else signal.SIGTERM
                    stop(process, number=number, unfinished=unfinished)
                    say(f"{name} stopped")
                del self._notes["processes"][name]
                self._write()

    def discard(self, say: Say = lambda _line: None) -> None:
        """Stop what runs and remove all that the stack has kept, in its home and outside.

        Raises:
            StackError: the home is a folder with other things in it where no stack ever started.
        """
        if not (self.home / STACK_FILE).exists():
            if self.home.exists() and any(self.home.iterdir()):
                raise StackError(
                    f"{self.home} is not a stack's: move what is there, or set CARAVAN_HOME"
                )
            return
        # what is begun need not be finished: its stores go
        self._stop(say, None, postgres.abandon_signal(), unfinished=True)
        outside = self._notes.get("outside")
        if outside is not None and postgres.is_ours(Path(outside)):
            shutil.rmtree(outside)
        for pattern in CONTENTS:
            for path in self.home.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._notes = {}
        with suppress(OSError):  # someone else's things stay
            self.home.rmdir()

    def runs(self, name: str) -> bool:
        return name in self._processes() and alive(self._process(name))

    def status(self) -> list[Part]:
        """Every part that was ever started here, running or not."""
        addresses = {
            "postgres": str(self._notes.get("socket_directory", "")),
            "temporal": f"{self._notes.get('temporal_address', '')} · Web UI {self.ui_address}",
            "mail": str(self._notes.get("smtp_url", "")),
            "gateway": str(self._notes.get("public_url", "")),
        }
        names = [*PARTS, *(name for name in self._processes() if name not in PARTS)]
        return [
            Part(
                name,
                self.runs(name),
                self._process(name).pid if name in self._processes() else None,
                addresses.get(name, "") if name in self._processes() else "",
            )
            for name in names
        ]

    def _postgres(self, say: Say) -> None:
        log = self._log("postgres")
        server = postgres.locate(self.home, self._notes.get("outside"))
        if not self._runs_already("postgres", say):
            self._notes["outside"] = str(server.outside)
            self._notes["socket_directory"] = str(server.sockets)
            self._notes["platform_dsn"] = server.dsn("platform")
            self._notes["engage_dsn"] = server.dsn("engage")
            self._write()
            postgres.prepare(server)
            self._note(postgres.run(server, log, self._postgres_settings))
        postgres.make_ready(server, self._process("postgres"), log)
        say(f"Postgres runs (socket in {server.sockets})")
        if server.data.parent != self.home:
            say(f"Its data is in {server.data}, for as root it runs as nobody, who cannot enter {self.home}")  # fmt: skip

    def _temporal(self, say: Say) -> None:
        log = self._log("temporal")
        if not self._runs_already("temporal", say):
            port = self._port("Temporal", "temporal_port", TEMPORAL_PORT, say)
            ui_port = self._port("Web UI", "ui_port", UI_PORT, say)
            self._notes["temporal_address"] = f"127.0.0.1:{port}"
            self._note(temporal.run(self.home, port, ui_port, log))
        port = self._notes["temporal_port"]
        temporal.make_ready(port, self._process("temporal"), log)
        say(f"Temporal runs on 127.0.0.1:{port}, Web UI {self.ui_address}")

    def _mail(self, say: Say) -> None:
        log = self._log("mail")
        if not self._runs_already("mail", say):
            port = self._port("Mail", "mail_port", MAIL_PORT, say)
            self._notes["smtp_url"] = f"smtp://127.0.0.1:{port}"
            command = [sys.executable, "-m", "caravan.stack.mail_server", "--port", str(port), "--directory", str(self.mail_directory)]  # fmt: skip
            self._note(spawn("mail", command, log, environment={"PYTHONPATH": str(ROOT)}))
        port = self._notes["mail_port"]
        wait_until_ready(self._process("mail"), lambda: answers(port), log)
        say(f"Mail capture runs on 127.0.0.1:{port}")

    def _gateway(self, say: Say) -> None:
        log = self._log("gateway")
        if not self._runs_already("gateway", say):
            port = self._port("Gateway", "gateway_port", GATEWAY_PORT, say)
            self._notes["public_url"] = f"http://127.0.0.1:{port}"
            # kept: links in mail are followed for years
            for secret in ("gateway_secret", "link_keys"):
                self._notes.setdefault(secret, secrets.token_urlsafe(32))
            self._write()
            environment = {
                "CARAVAN_HOME": str(self.home),
                "PYTHONPATH": str(ROOT),
                "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            }
            self._note(
                spawn(
                    "gateway",
                    [sys.executable, "-m", "caravan.gateway"],
                    log,
                    environment=environment,
                )
            )
        port = self._notes["gateway_port"]
        wait_until_ready(self._process("gateway"), lambda: answers(port), log)
        say(f"Gateway runs on 127.0.0.1:{port}")

    def _runs_already(self, part: str, say: Say) -> bool:
        """It may still be on its way: who started it may have been interrupted."""
        running = self.runs(part)
        if running:
            say(f"{part} runs already")
        return running

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _port(self, what: str, note: str, default: int, say: Say) -> int:
        """The port it had last, for who knows it may still be there; else the usual one; else any."""
        wanted = int(self._notes.get(note, default))
        port = free_port(wanted)
        if port != wanted:
            say(f"{what}: port {wanted} is taken, using {port}")
        self._notes[note] = port
        return port

    def _processes(self) -> dict[str, Any]:
        processes: dict[str, Any] = self._notes.setdefault("processes", {})
        return processes

    def _process(self, name: str) -> Process:
        return Process(**self._processes()[name])

    def _note(self, process: Process) -> None:
        self._processes()[process.name] = process.to_json()
        self._write()

    def _write(self) -> None:
        path = self.home / STACK_FILE
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)  # it holds a secret: nobody else reads it
        draft.write_text(json.dumps(self._notes, indent=1), encoding="utf-8")
        os.replace(draft, path)
