"""Taking an answer: recorded once, before anybody is told that it was, and the account woken for it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from caravan.engage import sql, wakeups
from caravan.services.callback import Asked, Part, Parts, read_callback
from caravan.services.tokens import digest

#: what is still waited for
OPEN = ("claimed", "submitted")


class Taken(StrEnum):
    """What became of a callback."""

    RECORDED = "recorded"
    REPEATED = "repeated"  # it has an answer already: the first one counts
    LATE = "late"  # nobody waits for it any more


@dataclass(frozen=True)
class Call:
    """The call a token is for, and what its answer may speak of."""

    id: int
    traversal_id: int
    asked: Asked


async def find(pool: Any, token: str) -> Call | None:
    """The call of a token; None where there is none."""
    row = await sql.fetchrow(pool, "call_by_token", token_hash=digest(token))
    if row is None:
        return None
    relations: dict[int, int] = {}
    if row["about"] == "account_people":
        people = await sql.fetch(
            pool,
            "relations_called",
            account_id=row["account_id"],
            traversal_id=row["traversal_id"],
            node=row["node"],
            visit=row["visit"],
        )
        relations = {one["person_id"]: one["relation_id"] for one in people}
    return Call(
        id=row["id"],
        traversal_id=row["traversal_id"],
        asked=Asked(
            about=row["about"],
            account_id=row["account_id"],
            person_id=row["person_id"],
            relations=relations,
        ),
    )


async def take(pool: Any, call: Call, content: bytes, at: datetime) -> Taken:
    """Read an answer, and record it durably.

    Raises:
        BadCallback: it breaks the contract, or speaks of what was not asked.
    """
    parts = read_callback(content, call.asked)
    async with pool.acquire() as conn, conn.transaction():
        return await record(conn, call.id, call.traversal_id, parts, at)


async def record(conn: Any, call_id: int, traversal_id: int, parts: Parts, at: datetime) -> Taken:
    """Record an answer in the caller's transaction; the first one counts."""
    call = await sql.fetchrow(conn, "lock_call", id=call_id)
    if call["state"] == "answered":
        return Taken.REPEATED
    if call["state"] not in OPEN or call["over"]:
        await sql.execute(conn, "note_late", id=call_id, at=at)
        return Taken.LATE
    await sql.execute(conn, "answer_call", id=call_id, answer=parts.model_dump(mode="json"), at=at)
    await wakeups.queue(conn, [traversal_id], "answered")
    return Taken.RECORDED


async def answer_for(
    conn: Any,
    *,
    account_id: int,
    node: str,
    accessors: dict[str, Any],
    at: datetime,
    person_id: int | None = None,
) -> int:
    """Answer what an account waits for at a node, without a service: as a simulation's events do.

    Args:
        conn: in the caller's transaction.
        accessors: said of the account or, in a call of people, of each of them.
        person_id: of this one alone.

    Returns:
        How many requests it answered.
    """
    part = Part(accessors=accessors)
    answered = 0
    for row in await sql.fetch(conn, "open_calls_at", account_id=account_id, node=node):
        if row["about"] == "account":
            parts = Parts(account=part)
        else:
            people = await sql.fetch(conn, "people_of_call", id=row["id"])
            ids = [one["person_id"] for one in people if person_id in (None, one["person_id"])]
            if not ids:
                continue
            parts = Parts(people=dict.fromkeys(ids, part))
        await record(conn, row["id"], row["traversal_id"], parts, at)
        answered += 1
    return answered
