"""Waiting until nothing that began before a command is under way any more.

A command that stops something writes a row and then waits here: for whoever has read the stores before it
could see the row, and for messages that have been given the last word and are about to leave.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from caravan.engage import sql

#: seconds; no transaction of ours lasts longer (TRANSACTION_TIMEOUT)
LONGEST_TRANSACTION = 65.0
#: seconds for which the last word before something leaves is good, counted from when it was asked for. What
#: has not begun to leave by then has to ask again; so a command that stops need not wait for a relay
LAST_WORD_HOLDS = 2.0
#: seconds between two looks
EVERY = 0.02


async def those_before_have_ended(conn: Any) -> bool:
    """Wait until no transaction of ours runs that looked before the last commit; False: some still does.

    First for the statements that began before it, which may wait for a row and hold what they saw; then
    for the transactions they belong to.
    """
    until = time.monotonic() + LONGEST_TRANSACTION
    for query in ("looked_before", "began_before"):
        number = await sql.fetchval(conn, "transaction_number")
        while await sql.fetchval(conn, query, number=number):
            if time.monotonic() > until:
                return False
            await asyncio.sleep(EVERY)
    return True


async def nothing_is_leaving(conn: Any, slug: str | None = None) -> None:
    """Wait until every message that has the last word, of a journey or of all, has left or cannot any more.

    Called once no new word can be given. The word of one that is still in hand when it has grown old is
    worth nothing: either its content has left and the relay is slow to answer, or it does not leave.
    """
    await _settled(conn, "in_hand", slug=slug)


async def nothing_of_a_person_is_leaving(conn: Any, person_ids: Sequence[int]) -> bool:
    """The same of messages to a person, by all their numbers, and of alerts about their accounts; False: a relay is slow to answer for one."""
    return await _settled(conn, "in_hand_of", person_ids=list(person_ids))


async def _settled(conn: Any, in_hand: str, **about: Any) -> bool:
    until = time.monotonic() + LAST_WORD_HOLDS
    while await sql.fetchval(conn, in_hand, **about):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(EVERY)
    return True
