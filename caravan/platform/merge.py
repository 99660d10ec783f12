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
from caravan.platform import identity, sql, uniting
from caravan.platform.uniting import Entity

TABLES = {
    "account": "accounts",
    "person": "people",
    "relation": "relations",
    "opportunity": "opportunities",
}
#: told a table of these, and how many of its rows have been gone through
Follow = Callable[[str, int], None]


#: records that may be one with others
WHOLE: tuple[Entity, ...] = ("account", "person")


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
        alone = [change for change in changes if change.entity not in WHOLE]
        for whole in WHOLE:
            mine = [change for change in changes if change.entity == whole]
            alone += await _said_of_unified(conn, whole, mine, at)
        for entity, table in TABLES.items():
            for writes in rounds([change for change in alone if change.entity == entity]):
                await sql.execute(
                    conn,
                    f"merge_{table}",
                    entity=entity,
                    ids=[write.id for write in writes],
                    fields=[write.fields for write in writes],
                    as_ofs=[write.as_of for write in writes],
                )
        for whole in WHOLE:
            written = {change.id for change in alone if change.entity == whole}
            await identity.settle(conn, whole, written, at, munchkin)
        await advance_cursor(conn, stream_of(munchkin), changes[-1].at, len(changes), at)
        await nudge(conn)
    return len(changes)


async def _said_of_unified(
    conn: Any, entity: Entity, changes: list[Change], at: datetime
) -> list[Change]:
    """Take in what was said of records that are one with others, or were; returns the changes of the rest."""
    if not changes:
        return []
    united = await uniting.survivors_of(conn, entity, {change.id for change in changes})
    for writes in rounds([change for change in changes if change.id in united]):
        said = [(write.id, json.loads(write.fields), write.as_of) for write in writes]
        await uniting.say(conn, entity, said, at)
    return [change for change in changes if change.id not in united]


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
