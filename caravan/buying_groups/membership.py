"""Who is in a group: people join, change their role and leave, by whoever may say so.

One role per person and group. Who was removed stays in the table, flagged, with whom it was by: that
is what keeps a job from bringing back whom a user has removed. A group is of its account's people: who is
none of them can not join.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from caravan.buying_groups import standing
from caravan.buying_groups.precedence import STANDS_ABOVE, Source, may_change
from caravan.engage import sql
from caravan.engage.happening import Happening
from caravan.journeys.reasons import SkipReason

__all__ = ["Changed", "Source", "assign", "group_of", "hold", "remove"]


@dataclass(frozen=True)
class Changed:
    """What became of each person: why nothing was done, None where it was; and what happened by it."""

    reasons: dict[int, SkipReason | None]
    happenings: list[Happening] = field(default_factory=list)


async def group_of(conn: Any, account_id: int, solution_interest: str) -> int | None:
    """The group of an account for a solution interest, if there is one."""
    found = await sql.fetchval(
        conn, "group_of", account_id=account_id, solution_interest=solution_interest
    )
    return int(found) if found is not None else None


async def hold(conn: Any, group_id: int, person_ids: Sequence[int] = ()) -> Any:
    """Lock a group to change it, in the order everybody keeps: account, people, their engagement, group.

    Args:
        conn: of the engage store, in a transaction.
        group_id: the group.
        person_ids: whose membership may change, so that what they do meanwhile is counted, here or by
            who counts it.

    Returns:
        The group's row.

    Raises:
        LookupError: there is none.
    """
    await sql.execute(conn, "share_account_of_group", group_id=group_id)
    if person_ids:
        await sql.execute(conn, "share_people", person_ids=list(person_ids))
        await sql.execute(conn, "share_engagement", person_ids=list(person_ids))
    group = await sql.fetchrow(conn, "lock_group", group_id=group_id)
    if group is None:
        raise LookupError(f"no buying group {group_id}")
    return group


async def assign(
    conn: Any,
    group_id: int,
    person_ids: Sequence[int],
    role: str,
    source: Source,
    at: datetime,
) -> Changed:
    """Give people a role in a group.

    Who has it already stays, and is from now on there by ``source``, if that is the higher one.

    Args:
        conn: of the engage store, in a transaction.
        group_id: the group.
        person_ids: the people.
        role: what they are in it; who had another one changes it.
        source: who says so.
        at: domain time.

    Returns:
        Reasons: ``already-member``, ``manual-member`` or ``journey-member`` (somebody above put them
        elsewhere or took them out), ``not-of-account``.
    """
    if not person_ids:
        return Changed({})
    group = await hold(conn, group_id, person_ids)
    places = await _places(conn, group_id, person_ids)
    reasons = {one: _why_not_join(places.get(one), role, source) for one in person_ids}
    repeated = [one for one, why in reasons.items() if why == SkipReason.ALREADY_MEMBER]
    await _raise(conn, group_id, _repeated_above(places, repeated, source), source)
    joining = [person_id for person_id, reason in reasons.items() if reason is None]
    if not joining:
        return Changed(reasons)
    await sql.execute(
        conn, "put_members", group_id=group_id, person_ids=joining, role=role, source=source, at=at
    )
    happenings = [_happening("added_to", group, person_id, role, at) for person_id in joining]
    return Changed(reasons, happenings + await standing.refresh(conn, [group_id], at))


async def remove(
    conn: Any, group_id: int, person_ids: Sequence[int], source: Source, at: datetime
) -> Changed:
    """Take people out of a group.

    Who was taken out before stays out, and is from now on out by ``source``, if that is the higher one.

    Args:
        conn: of the engage store, in a transaction.
        group_id: the group.
        person_ids: the people.
        source: who says so.
        at: domain time.

    Returns:
        Reasons: ``not-member``; ``manual-member`` or ``journey-member`` (somebody above put them there).
    """
    if not person_ids:
        return Changed({})
    group = await hold(conn, group_id, person_ids)
    places = await _places(conn, group_id, person_ids)
    reasons = {one: _why_not_leave(places.get(one), source) for one in person_ids}
    repeated = [one for one, place in places.items() if place["role"] and place["removed"]]
    await _raise(conn, group_id, _repeated_above(places, repeated, source), source)
    leaving = [person_id for person_id, reason in reasons.items() if reason is None]
    if not leaving:
        return Changed(reasons)
    await sql.execute(
        conn, "take_members_out", group_id=group_id, person_ids=leaving, source=source, at=at
    )
    happenings = [
        _happening("removed_from", group, person_id, places[person_id]["role"], at)
        for person_id in leaving
    ]
    return Changed(reasons, happenings + await standing.refresh(conn, [group_id], at))


def _why_not_join(place: Any, role: str, source: Source) -> SkipReason | None:
    if place is None or not place["related"]:
        return SkipReason.NOT_OF_ACCOUNT
    if place["role"] == role and not place["removed"]:
        return SkipReason.ALREADY_MEMBER
    if place["role"] is not None and not may_change(source, place["source"]):
        return STANDS_ABOVE[place["source"]]
    return None


def _why_not_leave(place: Any, source: Source) -> SkipReason | None:
    if place is None or place["role"] is None or place["removed"]:
        return SkipReason.NOT_MEMBER
    return None if may_change(source, place["source"]) else STANDS_ABOVE[place["source"]]


def _repeated_above(places: dict[int, Any], person_ids: list[int], source: Source) -> list[int]:
    """Who is so already, of those whose membership this source may take over."""
    return [one for one in person_ids if may_change(source, places[one]["source"])]


async def _places(conn: Any, group_id: int, person_ids: Sequence[int]) -> dict[int, Any]:
    rows = await sql.fetch(conn, "places_in_group", group_id=group_id, person_ids=list(person_ids))
    return {row["id"]: row for row in rows}


async def _raise(conn: Any, group_id: int, person_ids: list[int], source: Source) -> None:
    if person_ids:
        await sql.execute(
            conn, "raise_source", group_id=group_id, person_ids=person_ids, source=source
        )


def _happening(what: str, group: Any, person_id: int, role: str, at: datetime) -> Happening:
    return Happening(
        f"{what}_buying_group",
        at,
        account_id=group["account_id"],
        person_id=person_id,
        fields={"solution_interest": group["solution_interest"], "role": role},
    )
