"""Buying groups as SQL: which groups an account has, and which a person belongs to.

Everything asked for is stored, so time alone never changes an answer. The evidence is the group that
was found, or the one that came nearest: of the solution interest asked for, by its id.
"""

from caravan.journeys.conditions.binder import Binder
from caravan.journeys.conditions.checks import described, sql_of_test
from caravan.journeys.conditions.model import Check, HasBuyingGroup, MemberOf, RoleCount, Test

#: the columns of a group ``g`` that are tested
_COLUMNS = {
    "solution_interest": "g.solution_interest",
    "stage": "nullif(g.stage, '')",
    "status": "nullif(g.status, '')",
    "completeness": "g.completeness",
    "engagement": "g.engagement",
}
_SHOWN = (
    "'group', g.id, 'solution_interest', g.solution_interest, 'stage', g.stage, 'status', g.status,"
    " 'completeness', g.completeness, 'engagement', g.engagement, 'qualified_at', g.qualified_at"
)


def has_group(condition: HasBuyingGroup, binder: Binder) -> tuple[str, tuple[str, str]]:
    """Whether the account ``a`` has such a group, and the evidence."""
    source = "from buying_groups g where g.account_id = a.id"
    counts = [f"({_counted(role, binder)})" for role in condition.roles]
    fits = " and ".join([*_tested(condition, binder), *counts]) or "true"
    roles = ", ".join(
        f"{binder.literal(role.name, 'text')}, {_members(role.name, binder)}"
        for role in condition.roles
    )
    shown = f"{_SHOWN}, 'roles', jsonb_build_object({roles})" if roles else _SHOWN
    return _found("buying_group", condition, source, fits, shown, binder)


def member_of(
    condition: MemberOf, binder: Binder, *, travelling: bool
) -> tuple[str, tuple[str, str]]:
    """Whether the person ``p`` belongs to such a group, and the evidence.

    Args:
        condition: what the group and the membership are to be.
        binder: takes the parameters.
        travelling: the group is of the account ``a`` that the journey moves; else of any account.
    """
    whose = (
        "g.account_id = a.id"
        if travelling
        else "exists (select from accounts h where h.id = g.account_id and h.deleted_at is null)"
    )
    source = (
        "from buying_group_members m join buying_groups g on g.id = m.group_id"
        f" where m.person_id = p.id and {whose}"
    )
    parts = _tested(condition, binder)
    parts.append(f"m.removed_at is {'not ' if condition.removed else ''}null")
    if condition.role is not None:
        parts.append(f"({sql_of_test(condition.role, 'm.role', binder)})")
    shown = f"{_SHOWN}, 'role', m.role, 'source', m.source, 'removed_at', m.removed_at"
    return _found("member_of", condition, source, " and ".join(parts), shown, binder)


def _found(
    key: str,
    condition: HasBuyingGroup | MemberOf,
    source: str,
    fits: str,
    shown: str,
    binder: Binder,
) -> tuple[str, tuple[str, str]]:
    interest = condition.tests.get("solution_interest")
    near = sql_of_test(interest, _COLUMNS["solution_interest"], binder) if interest else "true"
    evidence = (
        f"(select jsonb_build_object({shown}) {source} and ({near})"
        f" order by not ({fits}), g.id limit 1)"
    )
    return f"exists (select {source} and {fits})", (_label(key, condition), evidence)


def _tested(condition: HasBuyingGroup | MemberOf, binder: Binder) -> list[str]:
    parts = [
        f"({sql_of_test(test, _COLUMNS[key], binder)})" for key, test in condition.tests.items()
    ]
    if condition.qualified is not None:
        parts.append(f"g.qualified_at is {'not ' if condition.qualified else ''}null")
    return parts


def _counted(role: RoleCount, binder: Binder) -> str:
    count = _members(role.name, binder)
    bounds = [f"{count} >= {binder.literal(role.at_least, 'bigint')}"]
    if role.at_most is not None:
        bounds.append(f"{count} <= {binder.literal(role.at_most, 'bigint')}")
    return " and ".join(bounds)


def _members(role: str, binder: Binder) -> str:
    """How many people play a role in the group ``g``."""
    named = sql_of_test(
        Test(type="string", checks=(Check(operator="is", operands=(role,)),)), "m.role", binder
    )
    return (
        "(select count(*) from buying_group_members m"
        f" where m.group_id = g.id and m.removed_at is null and {named})"
    )


def _label(key: str, condition: HasBuyingGroup | MemberOf) -> str:
    """What was asked, in a few words."""
    parts = [described(condition.tests)]
    if condition.qualified is not None:
        parts.append("qualified" if condition.qualified else "not qualified")
    if isinstance(condition, HasBuyingGroup):
        parts += [_label_of(role) for role in condition.roles]
    else:
        parts.append(described({"role": condition.role}) if condition.role else "")
        parts.append("removed" if condition.removed else "")
    return f"{key}({', '.join(filter(None, parts))})"


def _label_of(role: RoleCount) -> str:
    most = f" at_most {role.at_most}" if role.at_most is not None else ""
    return f"{role.name} at_least {role.at_least}{most}"
