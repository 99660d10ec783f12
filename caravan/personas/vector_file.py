"""Vectors kept in a file, so that the same text is read once on a machine and not once a simulation.

By digest of the text, never the text: a title outlives its person here by nothing that could be read. The file may be
deleted at any time, and two processes may share it.
"""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from caravan.personas.embedding import Embedder, Vector

_TABLE = "create table if not exists vectors (digest blob primary key, vector blob not null) without rowid"
#: seconds to wait for another process that is writing
PATIENCE = 5.0
#: parameters of one statement
_AT_ONCE = 500


class KeptVectors:
    """Reads with another, what the file does not have yet. Where the file cannot be used, all of it."""

    def __init__(self, embedder: Embedder, file: Path) -> None:
        self._embedder = embedder
        self._file = file

    @property
    def model(self) -> str:
        return self._embedder.model

    async def vectors(self, texts: Sequence[str]) -> Mapping[str, Vector]:
        model = self.model  # looked up once: what is installed is read from disk
        digests = {text: _digest(model, text) for text in texts}
        kept = self._kept(list(digests.values()))
        found = {text: kept[digest] for text, digest in digests.items() if digest in kept}
        if missing := [text for text in digests if text not in found]:
            read = await self._embedder.vectors(missing)
            self._keep({digests[text]: vector for text, vector in read.items()})
            found |= read
        return found

    def _kept(self, digests: list[bytes]) -> dict[bytes, Vector]:
        found: dict[bytes, Vector] = {}
        try:
            with closing(self._open()) as conn:
                for start in range(0, len(digests), _AT_ONCE):
                    some = digests[start : start + _AT_ONCE]
                    marks = ", ".join("?" * len(some))
                    asked = f"select digest, vector from vectors where digest in ({marks})"
                    found |= dict(conn.execute(asked, some).fetchall())
        except (sqlite3.Error, OSError):
            return {}
        return found

    def _keep(self, vectors: Mapping[bytes, Vector]) -> None:
        try:
            with closing(self._open()) as conn, conn:
                conn.executemany("insert or ignore into vectors values (?, ?)", vectors.items())
        except (sqlite3.Error, OSError):
            return  # it is read again next time

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        conn = sqlite3.connect(self._file, timeout=PATIENCE)
        conn.execute(_TABLE)
        return conn


def _digest(model: str, text: str) -> bytes:
    return hashlib.sha256(f"{model}\0{text}".encode()).digest()
