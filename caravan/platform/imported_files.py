"""Which files of a source were taken in: a folder that grows is imported again and again, each file once.

Known by name and content. A file that was imported in part when a process died is not noted, and imported
again: its rows that have not changed are passed by.
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from caravan.platform.file_maps import FileSource

_KNOWN = "select digest from imported_files where source = $1 and file = $2"
_NOTE = """
insert into imported_files (source, file, digest, at) values ($1, $2, $3, $4)
on conflict (source, file) do update set digest = excluded.digest, at = excluded.at
"""


def digest_of(path: Path, whose: FileSource) -> bytes:
    """What tells a file's content, as it is read, from another's: a map that was mended makes it new."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update((whose.map.model_dump_json() if whose.map is not None else "").encode())
    return digest.digest()


async def is_known(pool: Any, source: str, path: Path, digest: bytes) -> bool:
    """Whether the source has brought a file of this name with this content last."""
    async with pool.acquire() as conn:
        known: bytes | None = await conn.fetchval(_KNOWN, source, path.name)
    return known == digest


async def note(pool: Any, source: str, path: Path, digest: bytes, at: datetime) -> None:
    """Note that a file was taken in, with the content it had before it was read."""
    async with pool.acquire() as conn:
        await conn.execute(_NOTE, source, path.name, digest, at)
