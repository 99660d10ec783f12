"""The scale: what scores go by for a day, and bringing everybody up to the one in force.

A scale fixes the window, the weights in use and what is compared with, so that a score is a sum and a
division and changes with what a person did alone. It is made once a day; besides, when another score
model is active, and when the one in force compares with nobody though somebody has done something since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from caravan.buying_groups import engagement, qualifying
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.documents.score_model import ScoreModelDocument
from caravan.journeys.time import LATEST, local_day, local_instant

#: people brought up to the scale in one transaction; groups; days forgotten
PEOPLE, GROUPS, DAYS = 2000, 500, 5000


@dataclass(frozen=True)
class Followed:
    """What a page of following came to."""

    count: int = 0
    """Rows looked at. 0: everybody is where they should be, or being seen to by others."""
    happenings: list[Happening] = field(default_factory=list)
    # of whom some score is another now, shown or not: conditions may ask for it
    account_ids: list[int] = field(default_factory=list)
    person_ids: list[int] = field(default_factory=list)


async def renew(pool: Any, at: datetime) -> bool:
    """Make a new scale where one is due; harmless to ask again.

    Everything is counted from the activities where what counts has changed: a type that had no weight,
    other days, or a longer window. While that lasts nothing is recorded; otherwise nobody waits.

    Args:
        pool: of the engage store.
        at: domain time; its day in the score model's zone is the scale's.

    Returns:
        Whether there is a new one.
    """
    if not _is_due(await sql.fetchrow(pool, "renewal"), at):
        return False
    async with pool.acquire() as conn, conn.transaction():
        await sql.execute(conn, "lock_renewal")
        state = await sql.fetchrow(conn, "renewal")
        if not _is_due(state, at):
            return False  # somebody else was first
        model = ScoreModelDocument.model_validate(state["body"])
        weights = {kind: weight for kind, weight in model.weights.items() if weight > 0}
        day = local_day(at, model.zone)
        from_day = day - timedelta(days=model.window_days - 1)
        kept = _kept(state, model, weights, from_day)
        if missing := sorted(set(weights) - set(kept)):
            await _recount(conn, model.zone, from_day, day, missing, kept)
        await sql.fetchval(
            conn,
            "make_scale",
            model_id=state["model_id"],
            weights=weights,
            daily_cap=model.daily_cap,
            day=day,
            from_day=from_day,
            zone=model.zone,
            at=at,
        )
    return True


async def follow_page(conn: Any, at: datetime) -> Followed:
    """Bring the next people, or else the next groups, up to the scale in force; then forget old days.

    Each page is a transaction's work and says where it stands by the rows it changes: kill it anywhere,
    the next one goes on.

    Args:
        conn: of the engage store, in a transaction.
        at: domain time.
    """
    people = [row["person_id"] for row in await sql.fetch(conn, "people_behind", limit=PEOPLE)]
    if people:
        # a statement of its own: it sees what was counted before the rows were had
        changed = await sql.fetch(conn, "bring_people", person_ids=people)
        return Followed(len(people), person_ids=[row["person_id"] for row in changed])
    groups = [row["id"] for row in await sql.fetch(conn, "groups_behind", limit=GROUPS)]
    if groups:
        rows = await engagement.rescored(conn, groups)
        happenings = engagement.told(rows, at)
        happenings += await qualifying.qualify(conn, groups, at)
        return Followed(len(groups), happenings, sorted({row["account_id"] for row in rows}))
    told = await sql.execute(conn, "prune_days", limit=DAYS)
    return Followed(int(told.split()[-1]))


def _is_due(state: Any, at: datetime) -> bool:
    if state is None:
        return False
    model = ScoreModelDocument.model_validate(state["body"])
    if not state["asked"] and model.is_implied:
        return False  # nobody pays for what nobody asked for
    if state["scale_id"] is None or state["score_model_id"] != state["model_id"]:
        return True
    return local_day(at, model.zone) > state["day"] or bool(state["lacking"])


def _kept(
    state: Any, model: ScoreModelDocument, weights: dict[str, int], from_day: date
) -> list[str]:
    """The types whose days are all here already, as the new scale wants them."""
    if state["scale_id"] is None or state["zone"] != model.zone or from_day < state["from_day"]:
        return []
    return sorted(set(state["counted"]) & set(weights))


async def _recount(
    conn: Any, zone: str, from_day: date, day: date, types: Sequence[str], kept: Sequence[str]
) -> None:
    """Count these types anew, all that was ever recorded of them, while nothing is being recorded."""
    await sql.execute(conn, "begin_recount")
    await sql.execute(conn, "forget_days", kept=list(kept))
    # each day of the window, the one after it, and the end of that
    days = [from_day + timedelta(days=n) for n in range((day - from_day).days + 3)]
    starts = [_start(one, zone) for one in days]
    await sql.execute(conn, "recount_days", types=list(types), from_day=from_day, starts=starts)
    ahead = await sql.fetch(conn, "activities_ahead", types=list(types), ends_at=starts[-1])
    done = [(row["person_id"], row["type"], min(row["at"], LATEST)) for row in ahead]
    await engagement.add_days(conn, done, zone)
    await sql.execute(conn, "hold_counted")


def _start(day: date, zone: str) -> datetime:
    return local_instant(f"{day.isoformat()}T00:00:00", zone)
