"""``caravan buying-group explain GROUP``: which activities, weights and roles make its numbers."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rich.padding import Padding

from caravan.buying_groups import explaining
from caravan.buying_groups.completeness import shown
from caravan.buying_groups.explaining import Counted, Explanation, Member, Role, Scale
from caravan.journeys import engagement
from starter.errors import UserError
from starter.group_names import GroupArgument, known_group
from starter.group_rows import role_row
from starter.output import Format, FormatOption, as_json, cell, console, plural, show
from starter.session import Session, SubscriptionOption, run_with

MEMBERS = ("person", "role", "points", "score", "share", "contribution")
ACTIVITIES = ("person", "day", "type", "count", "counted", "weight", "points")


def explain_group(
    group: GroupArgument,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Explain a group's numbers: roles filled and empty, and what its members did that counts.

    The sums are worked out from what people did, by the formula of docs/engagement.md, and come to the
    stored scores. People are named by their ids.
    """

    async def body(session: Session) -> None:
        pool = await session.engage()
        row = await known_group(pool, group)
        async with (
            pool.acquire() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            explained = await explaining.explain(conn, row["id"])
        if explained is None:
            raise UserError(f"The buying group {group} has just gone")
        if form is Format.json:
            print(as_json(told(explained)))
        else:
            _print(explained)

    run_with(subscription, body)


def told(one: Explanation) -> dict[str, Any]:
    """For programs, by the keys of ``show``; what is a fraction is a number here, the whole sums are exact."""
    return {
        "group": one.group,
        "account": one.account,
        "account_name": one.name,
        "solution_interest": one.solution_interest,
        "completeness": one.completeness,
        "engagement": one.engagement,
        "members": len(one.members),
        "empty_roles": one.empty_roles,
        "qualified_at": one.qualified_at,
        "qualified_by": one.qualified_by,
        "roles": [_role(role) for role in one.roles],
        "member_list": [_member(member, one.scale) for member in one.members],
        "raw": float(one.raw),
        "role_weights": sum(_weights_in_use(one.members).values()),
        "scale": _scale(one.scale) if one.scale is not None else None,
        "behind": one.behind,
    }


def _role(role: Role) -> dict[str, Any]:
    filled = role_row(role.role, role.weight, role.required, role.needed, len(role.people))
    return filled | {"completeness": float(role.completeness)}


def _scale(scale: Scale) -> dict[str, Any]:
    return {
        "day": scale.day,
        "from_day": scale.from_day,
        "last_day": scale.last_day,
        "zone": scale.zone,
        "daily_cap": scale.daily_cap,
        "weights": dict(sorted(scale.weights.items())),
        "heaviest": scale.heaviest,
        "person_p99": scale.person_p99,
        "group_p99": scale.group_p99,
        "made_at": scale.made_at,
    }


def _member(member: Member, scale: Scale | None) -> dict[str, Any]:
    raw = engagement.raw_of_person(member.points, scale.heaviest if scale is not None else None)
    return {
        "person": member.person,
        "role": member.role,
        "role_weight": member.role_weight,
        "share": float(member.share),
        "points": member.points,
        "raw": float(raw),
        "score": member.score,
        "contribution": float(member.contribution),
        "activities": [_activity(activity) for activity in member.activities],
    }


def _activity(activity: Counted) -> dict[str, Any]:
    return {
        "type": activity.type,
        "day": activity.day,
        "count": activity.count,
        "counted": activity.counted,
        "weight": activity.weight,
        "points": activity.points,
    }


def _weights_in_use(members: Iterable[Member]) -> dict[str, int]:
    return {member.role: member.role_weight for member in members}


def _print(one: Explanation) -> None:
    console.print(
        f"[bold]{cell(one.solution_interest)} for {cell(one.name or one.account)}[/bold]"
        f"  group {one.group}, {cell(one.account)}/{cell(one.solution_interest)}\n",
        highlight=False,
    )
    _print_completeness(one)
    _print_engagement(one)
    if one.qualified_by is not None:
        since = f"so since {cell(one.qualified_at)}" if one.qualified_at else "not yet"
        console.print(f"Qualified by {cell(one.qualified_by)}: {since}", highlight=False)


def _print_completeness(one: Explanation) -> None:
    required = [role for role in one.roles if role.required]
    mean = (
        f"the mean of {plural(len(required), 'required role')}"
        if required
        else "no role is required"
    )
    console.print(
        f"Completeness [bold]{shown(one.completeness)}[/bold] ({_number(one.completeness)}): {mean}",
        highlight=False,
    )
    rows = [
        {
            "role": role.role,
            "assigned": f"{len(role.people)} of {role.needed}"
            if role.required
            else f"{len(role.people)}, not required",
            "completeness": _number(role.completeness) if role.required else None,
            "people": list(role.people) or "nobody",
        }
        for role in one.roles
    ]
    show(rows, Format.table)
    if one.empty_roles:
        console.print(f"Empty: [bold]{cell(one.empty_roles)}[/bold]", highlight=False)
    console.print()


def _print_engagement(one: Explanation) -> None:
    console.print(
        f"Engagement [bold]{shown(one.engagement)}[/bold] ({_number(one.engagement)})",
        highlight=False,
    )
    if one.scale is None:
        _detail("no scale yet: the upkeep makes one as soon as anything counts")
        return
    scale = one.scale
    _detail(
        f"what people did from {scale.from_day} on, days of {scale.zone}, at most {scale.daily_cap} "
        f"of a type on a day; the scale is of {scale.day}"
    )
    _detail(f"weights: {cell(dict(sorted(scale.weights.items()))) or 'none is in use'}")
    if one.behind:
        _detail("a new scale has just been made: the stored score follows in a moment")
    show(
        [_contributing(member) for member in one.members],
        Format.table,
        columns=MEMBERS,
        empty="nobody is in it",
    )
    activities = [
        {
            "person": member.person,
            **_activity(activity),
            "weight": activity.weight if activity.weight is not None else "from the next scale on",
        }
        for member in one.members
        for activity in member.activities
    ]
    if activities:
        console.print()
        show(activities, Format.table, columns=ACTIVITIES)
    _print_sums(one, scale)
    console.print()


def _contributing(member: Member) -> dict[str, Any]:
    return {
        "person": member.person,
        "role": member.role,
        "points": member.points,
        "score": _number(member.score),
        "share": f"{_number(100 * member.share)} %",
        "contribution": _number(member.contribution),
    }


def _print_sums(one: Explanation, scale: Scale) -> None:
    """The way from points to the score, with today's numbers in it."""
    if scale.person_p99 is None:
        _detail("nobody has done anything that counts: all scores are 0")
        return
    console.print()
    _detail(
        f"a person's score = 100 × min(1, √(points / {scale.heaviest}) / {_number(scale.person_p99)}); "
        "its contribution = score × the role's share"
    )
    if scale.group_p99 is None:
        _detail("no group had anything when the scale was made: the next one compares")
        return
    score = engagement.score(one.raw, scale.group_p99)
    _detail(
        f"the group's = 100 × min(1, √{_number(one.raw)} / {_number(scale.group_p99)}) = {_number(score)}"
    )


def _detail(line: str) -> None:
    console.print(Padding(line, (0, 0, 0, 2), expand=False), style="dim", highlight=False)


def _number(value: Decimal | Fraction) -> str:
    """At most six places, none that say nothing."""
    return f"{float(value):.6f}".rstrip("0").rstrip(".")
