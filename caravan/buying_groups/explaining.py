"""Why a group is as complete and as engaged as it is: the sums behind its numbers, from the days on.

Nothing stored is taken on trust but the days and the scale: points, scores and shares are worked out by the
published formula (``caravan/journeys/engagement.py``), and come to what is stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from caravan.engage import sql
from caravan.journeys import engagement
from caravan.journeys.conditions.checks import described
from caravan.journeys.documents.solution_interest import Qualified


@dataclass(frozen=True)
class Counted:
    """What a member did of one type on one day."""

    type: str
    day: date
    count: int
    counted: int  # at most the daily cap
    weight: int | None  # None: not in use yet, it counts from the next scale on
    points: int


@dataclass(frozen=True)
class Member:
    """A member and what they contribute."""

    person: str  # outside id
    role: str
    role_weight: int  # 0 where the template has the role no more
    share: Fraction  # ρ: the role's weight over those of the roles in use
    activities: tuple[Counted, ...]
    points: int
    score: Decimal

    @property
    def contribution(self) -> Fraction:
        """Score × share; these sum to ``raw_g``."""
        return Fraction(self.score) * self.share


@dataclass(frozen=True)
class Role:
    """How far a role has whom it needs."""

    role: str
    weight: int
    required: bool
    needed: int
    people: tuple[str, ...]  # outside ids

    @property
    def completeness(self) -> Fraction:
        """Of 100."""
        return Fraction(100 * min(len(self.people), self.needed), self.needed)


@dataclass(frozen=True)
class Scale:
    """What scores go by today."""

    day: date
    from_day: date
    zone: str
    daily_cap: int
    weights: Mapping[str, int]
    heaviest: int | None
    person_p99: Decimal | None
    group_p99: Decimal | None
    made_at: datetime

    @property
    def last_day(self) -> date:
        """What is dated a day ahead counts at once."""
        return self.day + timedelta(days=1)


@dataclass(frozen=True)
class Explanation:
    """A group's numbers and what makes them."""

    group: int
    account: str
    name: str | None
    solution_interest: str
    completeness: Decimal  # as stored
    roles: tuple[Role, ...]
    engagement: Decimal  # as stored
    scale: Scale | None  # None: nothing has been made to go by yet
    behind: bool  # the group is being brought up to the scale, which its stored score is not of yet
    members: tuple[Member, ...]
    raw: Fraction
    qualified_at: datetime | None
    qualified_by: str | None  # what the solution interest asks for, in words

    @property
    def empty_roles(self) -> list[str]:
        return [role.role for role in self.roles if not role.people]


async def explain(conn: Any, group_id: int) -> Explanation | None:
    """Work out a group's numbers; None where there is no such group.

    Args:
        conn: of the engage store, in a transaction of one snapshot (repeatable read).
        group_id: the group.
    """
    group = await sql.fetchrow(conn, "explained_group", group_id=group_id)
    if group is None:
        return None
    in_force = await sql.fetchrow(conn, "scale_in_force")
    scale = _scale(in_force) if in_force is not None else None
    placed = await sql.fetch(conn, "explained_members", group_id=group_id)
    days: dict[int, list[Any]] = {}
    for row in await sql.fetch(conn, "explained_days", group_id=group_id):
        days.setdefault(row["person_id"], []).append(row)
    shares = engagement.role_shares({row["role"]: row["weight"] or 0 for row in placed})
    members = tuple(
        _member(row, scale, days.get(row["person_id"], ()), shares[row["role"]]) for row in placed
    )
    return Explanation(
        group=group["id"],
        account=group["account"],
        name=group["name"],
        solution_interest=group["solution_interest"],
        completeness=group["completeness"],
        roles=_roles(await sql.fetch(conn, "buying_group_roles", group_id=group_id), members),
        engagement=group["engagement"],
        scale=scale,
        behind=in_force is not None and group["scale_id"] != in_force["id"],
        members=members,
        raw=engagement.raw_of_group([(one.role, one.score) for one in members], shares),
        qualified_at=group["qualified_at"],
        qualified_by=_asked(group["qualified"]),
    )


def _scale(row: Any) -> Scale:
    return Scale(
        day=row["day"],
        from_day=row["from_day"],
        zone=row["zone"],
        daily_cap=row["daily_cap"],
        weights=row["weights"],
        heaviest=row["heaviest"],
        person_p99=row["person_p99"],
        group_p99=row["group_p99"],
        made_at=row["made_at"],
    )


def _member(placed: Any, scale: Scale | None, days: Iterable[Any], share: Fraction) -> Member:
    activities = tuple(_counted(row, scale) for row in days) if scale is not None else ()
    points = sum(one.points for one in activities)
    raw = engagement.raw_of_person(points, scale.heaviest if scale is not None else None)
    return Member(
        person=placed["person"],
        role=placed["role"],
        role_weight=placed["weight"] or 0,
        share=share,
        activities=activities,
        points=points,
        score=engagement.score(raw, scale.person_p99 if scale is not None else None),
    )


def _counted(row: Any, scale: Scale) -> Counted:
    counted = engagement.counted(row["count"], scale.daily_cap)
    weight = scale.weights.get(row["type"])
    return Counted(
        type=row["type"],
        day=row["day"],
        count=row["count"],
        counted=counted if weight is not None else 0,
        weight=weight,
        points=counted * (weight or 0),
    )


def _roles(rows: Iterable[Any], members: Iterable[Member]) -> tuple[Role, ...]:
    filled: dict[str, list[str]] = {}
    for member in members:
        filled.setdefault(member.role, []).append(member.person)
    return tuple(
        Role(
            role=row["role"],
            weight=row["weight"],
            required=row["required"],
            needed=row["members_required"],
            people=tuple(filled.get(row["role"], ())),
        )
        for row in rows
    )


def _asked(stored: Any) -> str | None:
    if stored is None:
        return None
    qualified = Qualified.model_validate(stored)
    tests = {"completeness": qualified.completeness, "engagement": qualified.engagement}
    return described({name: test for name, test in tests.items() if test is not None})
