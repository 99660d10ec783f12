"""Counting what people do, and the scores of people and groups that follow from it at once.

Counts are kept by person, type and day; scores are derived from them under the scale in force
(``scale.py``), by the formula of ``caravan/journeys/engagement.py``. Locks are taken in the order accounts,
people, groups; each person's counts change under their own.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from caravan.buying_groups import qualifying
from caravan.buying_groups.completeness import is_told
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.time import EARLIEST, LATEST, local_day

#: person, type, and when it was
Done = tuple[int, str, datetime]


async def count(conn: Any, done: Sequence[Done], zone: str, at: datetime) -> list[Happening]:
    """Count what people have just done, in the transaction that records it, and score anew.

    What lies before the window is not counted; what lies ahead of it is kept and counts once the
    window of a later scale reaches it.

    Args:
        conn: of the engage store; the accounts of these people are locked by ``share_accounts_touched``.
        done: activities that are new and of a type that is counted, each once.
        zone: whose days they are counted on, of the scale in force.
        at: domain time.

    Returns:
        What happened to the groups these people are in.
    """
    person_ids = sorted({person_id for person_id, _, _ in done})
    await sql.execute(conn, "hold_engagement", person_ids=person_ids)
    rows = await sql.fetch(conn, "count_engagement", **_columns(on_days(done, zone)))
    if not rows:
        return []
    changed = [row["person_id"] for row in rows]
    groups = await sql.fetch(conn, "lock_groups_of_people", person_ids=changed)
    group_ids = [row["id"] for row in groups]
    happenings = told(await rescored(conn, group_ids), at)
    return happenings + await qualifying.qualify(conn, group_ids, at)


async def rescore(conn: Any, group_ids: Sequence[int], at: datetime) -> list[Happening]:
    """Bring the engagement of groups up to their members' scores, under the scale in force.

    Args:
        conn: in a transaction; the groups are locked here if they were not before.
        group_ids: the groups.
        at: domain time.

    Returns:
        ``engagement_changed`` of those that changed by what ``is_told``.
    """
    if not group_ids:
        return []
    await sql.execute(conn, "lock_groups", group_ids=list(group_ids))
    return told(await rescored(conn, group_ids), at)


async def rescored(conn: Any, group_ids: Sequence[int]) -> list[Any]:
    """Bring the engagement of locked groups up; the rows of those that changed, however little."""
    if not group_ids:
        return []
    return list(await sql.fetch(conn, "rescore_groups", group_ids=list(group_ids)))


def told(rows: Iterable[Any], at: datetime) -> list[Happening]:
    """What is told of groups that changed: what people see of it, or a listen may ask for."""
    return [
        Happening(
            "engagement_changed",
            at,
            account_id=row["account_id"],
            fields={
                "solution_interest": row["solution_interest"],
                # six places and at most 100: a float says them exactly
                "score": float(row["after"]),
                "from": float(row["before"]),
            },
        )
        for row in rows
        if is_told(row["before"], row["after"])
    ]


def on_days(done: Iterable[Done], zone: str) -> Counter[tuple[int, str, date]]:
    """How often each person did each type on each day of a zone."""
    return Counter(
        (person_id, kind, local_day(min(max(when, EARLIEST), LATEST), zone))
        for person_id, kind, when in done
    )


async def add_days(conn: Any, done: Iterable[Done], zone: str) -> None:
    """Count without scoring: whose standing is to be reckoned anyway."""
    await sql.execute(conn, "add_days", **_columns(on_days(done, zone)))


def _columns(days: Counter[tuple[int, str, date]]) -> dict[str, list[Any]]:
    return {
        "people": [person_id for person_id, _, _ in days],
        "types": [kind for _, kind, _ in days],
        "days": [day for _, _, day in days],
        "counts": list(days.values()),
    }
