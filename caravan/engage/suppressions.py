"""The suppression list: addresses, domains and numbers that nothing is sent to, whoever bears them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from caravan.engage import sql
from caravan.journeys.suppressing import Reason


async def add(
    conn: Any,
    subjects: Sequence[str],
    reason: Reason | str,
    *,
    source: str,
    at: datetime,
    why: str | None = None,
) -> int:
    """Suppress subjects (``read_subject``); returns how many were not suppressed for that reason already.

    One that is suppressed takes the graver reason: what bounced or was blocked by hand is not made lighter
    by somebody's opting out.
    """
    rows = [(subject, reason, why, source, at) for subject in subjects]
    return await put(conn, rows)


async def put(
    conn: Any, rows: Sequence[tuple[str, Reason | str, str | None, str, datetime]]
) -> int:
    """The same for rows of (subject, reason, why, source, at), as a file has them."""
    unique = {row[0]: row for row in rows}
    ordered = sorted(unique.values())  # so that two who write the same ones take turns
    added = await sql.fetchval(
        conn,
        "suppress",
        subjects=[row[0] for row in ordered],
        reasons=[row[1] for row in ordered],
        whys=[row[2] for row in ordered],
        sources=[row[3] for row in ordered],
        ats=[row[4] for row in ordered],
    )
    return int(added)


async def remove(conn: Any, subjects: Sequence[str], *, why: str, at: datetime) -> list[str]:
    """Suppress them no more, with why on record; returns those that were."""
    rows = await sql.fetch(conn, "unsuppress", subjects=list(subjects), why=why, at=at)
    return [row["subject"] for row in rows]
