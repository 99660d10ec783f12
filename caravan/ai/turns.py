"""How many models are asked at once by one process, whoever asks."""

import asyncio
from weakref import WeakKeyDictionary

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def turns(at_once: int) -> asyncio.Semaphore:
    """The turns of this process; the first who asks says how many there are."""
    loop = asyncio.get_running_loop()
    return _turns.setdefault(loop, asyncio.Semaphore(at_once))
