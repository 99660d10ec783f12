"""A folder of an IMAP server on loopback (RFC 3501), as much of one as a mailbox command speaks."""

import re
import socketserver
import threading
from types import TracebackType
from typing import Self


class Imap:
    """``deliver`` puts messages there; ``seen`` are the UIDs that were marked."""

    def __init__(self, users: dict[str, str]) -> None:
        self.messages: list[bytes] = []
        self.seen: set[int] = set()
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self._server.folder, self._server.users = self, users
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def deliver(self, *messages: bytes) -> None:
        self.messages += messages

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    folder: Imap
    users: dict[str, str]


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.say(b"* OK ready")
        while line := self.rfile.readline():
            tag, _, command = line.decode().strip().partition(" ")
            if not self.answer(tag, command):
                return

    def answer(self, tag: str, command: str) -> bool:
        folder, verb = self.server.folder, command.upper()
        if verb == "CAPABILITY":
            self.say(b"* CAPABILITY IMAP4rev1")
        elif verb.startswith("LOGIN"):
            user, password = re.findall(r'"?([^" ]+)"?', command)[1:]
            if self.server.users.get(user) != password:
                self.say(f"{tag} NO wrong login".encode())
                return True
        elif verb.startswith("SELECT"):
            self.say(b"* %d EXISTS" % len(folder.messages))
        elif verb == "UID SEARCH UNSEEN":
            unseen = [n for n in range(1, len(folder.messages) + 1) if n not in folder.seen]
            self.say(b"* SEARCH " + " ".join(map(str, unseen)).encode())
        elif match := re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]\)", verb):
            uid = int(match[1])
            content = folder.messages[uid - 1]
            self.say(b"* %d FETCH (UID %d BODY[] {%d}" % (uid, uid, len(content)))
            self.wfile.write(content)
            self.say(b")")
        elif match := re.fullmatch(r"UID STORE (\d+) \+FLAGS\.SILENT \(\\SEEN\)", verb):
            folder.seen.add(int(match[1]))
        elif verb == "LOGOUT":
            self.say(b"* BYE")
            self.say(f"{tag} OK bye".encode())
            return False
        else:
            self.say(f"{tag} BAD {command}".encode())
            return True
        self.say(f"{tag} OK done".encode())
        return True

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")
