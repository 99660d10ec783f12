"""Where reports wait: a message in a file, an mbox, a Maildir, a folder of an IMAP server.

Only what the standard library reads: ``mailbox`` and ``imaplib`` (RFC 3501), the latter with TLS unless the
server is on this machine.
"""

import imaplib
import mailbox
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TIMEOUT = 60.0


class MailboxError(Exception):
    """A mailbox cannot be read; says which and why, never the password."""


def messages_in(path: Path) -> Iterator[tuple[str, bytes]]:
    """The messages at a path, each with what to call it.

    A folder is a Maildir (it has ``cur`` and ``new``) or one of single messages; a file that begins with
    ``From `` is an mbox.

    Raises:
        OSError: it cannot be read.
        MailboxError: the folder has no messages as we know them.
    """
    if path.is_dir():
        yield from _of_folder(path)
        return
    with path.open("rb") as file:
        is_mbox = file.read(5) == b"From "
    if not is_mbox:
        yield str(path), path.read_bytes()
        return
    box = mailbox.mbox(path, create=False)
    try:
        for number, key in enumerate(box.keys(), 1):
            yield f"{path}#{number}", box.get_bytes(key)
    finally:
        box.close()


def _of_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    if (path / "cur").is_dir() and (path / "new").is_dir():
        for part in ("new", "cur"):
            for file in sorted((path / part).iterdir()):
                yield str(file), file.read_bytes()
        return
    files = sorted(path.glob("*.eml"))
    if not files:
        raise MailboxError(f"{path} is no Maildir and has no .eml files")
    for file in files:
        yield str(file), file.read_bytes()


@dataclass(frozen=True)
class ImapAddress:
    """``imaps://user@host:993/Folder``; the password comes apart from it."""

    host: str
    port: int
    user: str
    folder: str
    tls: bool

    @classmethod
    def parse(cls, url: str) -> "ImapAddress":
        """Read an address.

        Raises:
            MailboxError: it is none, it has a password in it, or it would cross a network in the clear.
        """
        try:
            parts = urlsplit(url)
            host, port, user = parts.hostname, parts.port, parts.username
        except ValueError:
            host = port = user = None
        if not host or not user or parts.scheme not in ("imap", "imaps") or parts.query:
            raise MailboxError(
                "a mailbox looks like imaps://bounces%40us.example@mail.us.example/INBOX"
            )
        if parts.password:
            raise MailboxError(
                "a password on a command line is everybody's: set BOUNCE_MAILBOX_PASSWORD, or "
                "BOUNCE_MAILBOX_PASSWORD_FILE"
            )
        tls = parts.scheme == "imaps"
        if not tls and host not in _LOOPBACK:
            raise MailboxError(f"{host} is not this machine: use imaps://")
        folder = unquote(parts.path.strip("/")) or "INBOX"
        return cls(host, port or (993 if tls else 143), unquote(user), folder, tls)


class ImapMailbox:
    """A folder that was opened; every call waits for the server."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def unseen(self) -> list[str]:
        """The messages nobody has seen, by UID."""
        data = self._ask("SEARCH", "UNSEEN")
        return [uid.decode() for line in data if line for uid in line.split()]

    def read(self, uid: str) -> bytes:
        """A message, which is left unseen."""
        for item in self._ask("FETCH", uid, "(BODY.PEEK[])"):
            if isinstance(item, tuple):
                content: bytes = item[1]
                return content
        return b""

    def mark(self, uid: str) -> None:
        """Mark a message as seen: it is not read again."""
        self._ask("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")

    def _ask(self, *command: str) -> list[Any]:
        kind, data = self._connection.uid(*command)
        if kind != "OK":
            raise MailboxError(f"the mailbox did not do {command[0]}: {_plain(data)}")
        return list(data)


@contextmanager
def open_imap(address: ImapAddress, password: str) -> Iterator[ImapMailbox]:
    """Log in and open the folder.

    Raises:
        MailboxError: it cannot be.
    """
    where = f"The mailbox {address.folder} at {address.host}:{address.port}"
    try:
        connection: imaplib.IMAP4 = (
            imaplib.IMAP4_SSL(
                address.host,
                address.port,
                ssl_context=ssl.create_default_context(),
                timeout=_TIMEOUT,
            )
            if address.tls
            else imaplib.IMAP4(address.host, address.port, timeout=_TIMEOUT)
        )
    except (OSError, imaplib.IMAP4.error) as error:
        raise MailboxError(f"{where} cannot be reached: {error}") from None
    try:
        connection.login(address.user, password)
        kind, data = connection.select(f'"{_quoted(address.folder)}"')
        if kind != "OK":
            raise MailboxError(f"{where} cannot be opened: {_plain(data)}")
        yield ImapMailbox(connection)
    except (OSError, imaplib.IMAP4.error) as error:
        raise MailboxError(f"{where}: {_plain([str(error)])}") from None
    finally:
        try:
            connection.logout()
        except (OSError, imaplib.IMAP4.error):
            connection.shutdown()


def _quoted(folder: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", folder)


def _plain(data: Any) -> str:
    first = data[0] if data else ""
    text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
    return text[:200]
