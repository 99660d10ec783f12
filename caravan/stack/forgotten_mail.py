"""Captured mail of somebody who was erased: found, and taken out of the capture."""

import email
import email.policy
import json
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path

from caravan.stack.mail_server import INDEX, captured, index_held


def mail_of(
    directory: Path,
    addresses: Collection[str],
    message_ids: Collection[str],
    pattern: str = "",
) -> list[dict[str, object]]:
    """What was captured for these addresses, bears one of these Message-IDs, or says what ``pattern`` finds.

    An alert to a salesperson names people, too.
    """
    is_of = _asking(directory, addresses, message_ids, pattern)
    return [line for line in captured(directory) if is_of(line)]


def forget(
    directory: Path,
    addresses: Collection[str],
    message_ids: Collection[str],
    pattern: str = "",
) -> int:
    """Take it out of the capture; the lines first, so that none is without its file.

    Mail that arrives meanwhile is kept: it waits for the index.
    """
    is_of = _asking(directory, addresses, message_ids, pattern)
    if not (directory / INDEX).exists():
        return 0
    with index_held(directory):
        kept: list[dict[str, object]] = []
        gone: list[dict[str, object]] = []
        for line in captured(directory):
            (gone if is_of(line) else kept).append(line)
        if not gone:
            return 0
        draft = directory / f"{INDEX}.new"
        draft.write_text(
            "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept), "utf-8"
        )
        os.replace(draft, directory / INDEX)
        files = {str(line["file"]) for line in gone} - {str(line["file"]) for line in kept}
    for file in files:
        (directory / file).unlink(missing_ok=True)
    return len(gone)


def _asking(
    directory: Path, addresses: Collection[str], message_ids: Collection[str], pattern: str
) -> Callable[[dict[str, object]], bool]:
    folded, ids = {address.casefold() for address in addresses}, set(message_ids)
    said = re.compile(pattern, re.IGNORECASE) if pattern else None

    def is_of(line: dict[str, object]) -> bool:
        recipients = line.get("to")
        to = recipients if isinstance(recipients, list) else []
        return (
            line.get("message_id") in ids
            or any(str(address).casefold() in folded for address in to)
            or (said is not None and _says(directory / str(line["file"]), said))
        )

    return is_of


def _says(file: Path, said: re.Pattern[str]) -> bool:
    """Whether a message says it: in a header or in a text part, decoded."""
    if not file.exists():
        return False
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    if any(said.search(str(value)) for value in message.values()):
        return True
    for part in message.walk():
        content = part.get_payload(decode=True) if part.get_content_maintype() == "text" else None
        if isinstance(content, bytes) and said.search(content.decode("utf-8", "replace")):
            return True
    return False
