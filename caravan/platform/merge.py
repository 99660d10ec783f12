"""The up-flow's landing: what the engage store changed, merged field by field.

The Platform decides. Only accounts, people, relations and opportunities come up; anything else is
refused, buying groups above all.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from caravan.database.outbox import Change, Cursor, advance_cursor, lock_cursor, nudge
from caravan.platform import sql

TABLES = {
    "account": "accounts",
    "person": "people",
    "relation": "relations",
    "opportunity": "opportunities",
}
#: told a table of these, and how many of its rows have been gone through
Follow = Callable[[str, int], None]


def stream_of(munchkin: str) -> str:
    """The name of a subscription's cursor."""
    return f"up:{munchkin}"


async def apply_page(
    pool: Any,
    munchkin: str,
    changes: Sequence[Change],
    read_after: Cursor,
    at: datetime,
) -> int:
    """Apply a page of the engage outbox and the cursor behind it, in one transaction.

    Args:
        pool: of the sandbox.
        munchkin: whose outbox.
        changes: the page, in order.
        read_after: the cursor the page was read behind; if another reader has moved it, nothing
            is done.
        at: when, for the record of progress.

    Returns:
        How many changes are now applied.
    """
    async with pool.acquire() as conn, conn.transaction():
        if await lock_cursor(conn, stream_of(munchkin)) != read_after:
            return 0
        await sql.execute(conn, "one_writer")
        for entity, table in TABLES.items():
            for writes in rounds([change for change in changes if change.entity == entity]):
                await sql.execute(
                    conn,
                    f"merge_{table}",
                    entity=entity,
                    ids=[write.id for write in writes],
                    fields=[write.fields for write in writes],
                    as_ofs=[write.as_of for write in writes],
                )
        await advance_cursor(conn, stream_of(munchkin), changes[-1].at, len(changes), at)
        await nudge(conn)
    return len(changes)


def rounds(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes in as few batches as may be, each record once in a batch and its changes in order.

    Changes of one record at one instant become one, the later word winning: the store could not tell
    which of them came last.
    """
    by_record: dict[int, list[Change]] = {}
    for change in changes:
        by_record.setdefault(change.id, []).append(change)
    if len(by_record) == len(changes):
        return [list(changes)] if changes else []
    batches: list[list[Change]] = []
    for several in by_record.values():
        for number, change in enumerate(_by_instant(several)):
            if number == len(batches):
                batches.append([])
            batches[number].append(change)
    return batches


def _by_instant(changes: Sequence[Change]) -> list[Change]:
    if len(changes) == 1:
        return list(changes)
    at: dict[datetime, Change] = {}
    for change in changes:
        known = at.get(change.as_of)
        fields = json.loads(known.fields) if known else {}
        both = json.dumps(fields | json.loads(change.fields))
        at[change.as_of] = replace(change, fields=both)
    # in the order they were committed: what has the older instant then loses, and is told so
    return list(at.values())
