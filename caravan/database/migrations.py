"""Migrations: plain SQL files, applied once each and in order of name, inside one transaction.

A schema is created with the core tables first; its package's ``sql/migrations/*.sql`` follow.
An advisory lock makes two processes that start together take turns.
"""

import hashlib
from pathlib import Path
from typing import Any

CORE = Path(__file__).parent / "sql" / "core.sql"


async def migrate(conn: Any, schema: str, directory: Path) -> list[str]:
    """Bring ``schema`` up to date and return the names of what was applied.

    Args:
        conn: a connection with rights to create the schema.
        schema: created when absent.
        directory: ``NNNN_what.sql`` files of the store.
    """
    lock = int.from_bytes(hashlib.sha256(schema.encode()).digest()[:8], "big", signed=True)
    files = [CORE, *sorted(directory.glob("*.sql"))]
    applied: list[str] = []
    async with conn.transaction():
        await conn.execute("select pg_advisory_xact_lock($1)", lock)
        await conn.execute(f'create schema if not exists "{schema}"')
        await conn.execute(f'set local search_path = "{schema}"')
        await conn.execute(
            "create table if not exists migrations (name text primary key, at timestamptz not null default now())"
        )
        done = {row["name"] for row in await conn.fetch("select name from migrations")}
        for file in files:
            if file.stem not in done:
                await conn.execute(file.read_text(encoding="utf-8"))
                await conn.execute("insert into migrations (name) values ($1)", file.stem)
                applied.append(file.stem)
    return applied
