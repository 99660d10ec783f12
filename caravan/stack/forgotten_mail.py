"""Captured mail of somebody who was erased: found, and taken out of the capture."""

import json
import os
from collections.abc import Collection
from pathlib import Path

from caravan.stack.mail_server import INDEX, captured, index_held


def mail_of(
    directory: Path, addresses: Collection[str], message_ids: Collection[str]
) -> list[dict[str, object]]:
    """What was captured for these addresses, or bears one of these Message-IDs."""
    folded = {address.casefold() for address in addresses}
    return [line for line in captured(directory) if _is_of(line, folded, set(message_ids))]


def forget(directory: Path, addresses: Collection[str], message_ids: Collection[str]) -> int:
    """Take it out of the capture; the lines first, so that none is without its file.

    Mail that arrives meanwhile is kept: it waits for the index.
    """
    folded, ids = {address.casefold() for address in addresses}, set(message_ids)
    if not (directory / INDEX).exists():
        return 0
    with index_held(directory):
        lines = list(captured(directory))
        gone = [line for line in lines if _is_of(line, folded, ids)]
        if not gone:
            return 0
        kept = [line for line in lines if not _is_of(line, folded, ids)]
        draft = directory / f"{INDEX}.new"
        draft.write_text(
            "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept), "utf-8"
        )
        os.replace(draft, directory / INDEX)
        files = {str(line["file"]) for line in gone} - {str(line["file"]) for line in kept}
    for file in files:
        (directory / file).unlink(missing_ok=True)
    return len(gone)


def _is_of(line: dict[str, object], addresses: set[str], message_ids: set[str]) -> bool:
    recipients = line.get("to")
    to = recipients if isinstance(recipients, list) else []
    return line.get("message_id") in message_ids or any(
        str(address).casefold() in addresses for address in to
    )
