"""The last word before something leaves grows old: what is slow to leave asks again.

Whoever stops sending waits for what has been given its word (``caravan.engage.standstill``), and could wait
for ever for a process that was stopped, or is busy, between the word and the first octet. So the word is
good for a short time from when it was asked for, by the clock of the process that asked.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from caravan.engage.standstill import LAST_WORD_HOLDS

T = TypeVar("T")


async def last_word(ask: Callable[[], Awaitable[T | None]]) -> T | None:
    """Ask until an answer is fresh when it is here; None where it is no.

    What it allows must begin before anything is awaited.

    Args:
        ask: may be asked again by the same try and then says what is so now.
    """
    while True:
        asked = time.monotonic()
        word = await ask()
        if word is None or time.monotonic() - asked < LAST_WORD_HOLDS:
            return word
