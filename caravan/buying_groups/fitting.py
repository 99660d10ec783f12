"""Whom the roles of a template fit: the first that matches a person wins, one role per person and group.

One statement finds, for all groups that follow a template, everybody whose place is not what the template
says and whom a job may move. It only looks: what it finds is done under the locks of the groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from caravan.journeys.conditions import model
from caravan.journeys.conditions.binder import Binder
from caravan.journeys.conditions.reach import reach_of_accounts
from caravan.journeys.conditions.sql import compile_condition
from caravan.journeys.documents.roles_template import RolesTemplateDocument


@dataclass(frozen=True)
class Misplaced:
    """Somebody who is to come, to change or to leave."""

    group_id: int
    person_id: int
    role: str | None  # that fits; None: they are to leave
    gone: bool = False  # not of the account any more


async def misplaced(
    conn: Any, template: RolesTemplateDocument, group_ids: Sequence[int], at: datetime
) -> list[Misplaced]:
    """The people of groups that follow a template whose place it would change, by group and person.

    Args:
        conn: of the engage store.
        template: the version the groups follow.
        group_ids: the groups.
        at: domain time.
    """
    binder = Binder(template.zone)
    statement = _statement(_first_role(template, binder), binder)
    rows = await conn.fetch(statement, *binder.args(as_of=at, group_ids=list(group_ids)))
    return [Misplaced(row["group_id"], row["person_id"], row["role"], row["gone"]) for row in rows]


def reach_of(template: RolesTemplateDocument) -> int:
    """How many relations lie between an account and the farthest record that a role of its people asks for."""
    return max(
        (
            reach_of_accounts(model.People(when=role.when))
            for role in template.roles
            if role.when is not None
        ),
        default=0,
    )


def _first_role(template: RolesTemplateDocument, binder: Binder) -> str:
    """The first role whose condition the person ``p`` of the account ``a`` meets.

    One without a condition is for users and journeys to give.
    """
    cases = [
        f"when ({compile_condition(role.when, 'person', binder).predicate})"
        f" then {binder.literal(role.role, 'text')}"
        for role in template.roles
        if role.when is not None
    ]
    return f"case {' '.join(cases)} end" if cases else "null::text"


def _statement(first_role: str, binder: Binder) -> str:
    # the index (account_id, person_id) of relations finds the people, the primary key of members who is in
    return f"""
        with kept as (
          select g.id, g.account_id from buying_groups g
          where g.id = any({binder.named("group_ids", "bigint[]")})
        ), fitting as (
          select kept.id as group_id, p.id as person_id, {first_role} as role
          from kept join accounts a on a.id = kept.account_id
          join relations r on r.account_id = a.id and r.deleted_at is null
          join people p on p.id = r.person_id and p.deleted_at is null
        ), members as (
          select m.* from kept join buying_group_members m on m.group_id = kept.id
        )
        select coalesce(f.group_id, m.group_id) as group_id, coalesce(f.person_id, m.person_id) as person_id,
               f.role, f.person_id is null as gone
        from fitting f full join members m on m.group_id = f.group_id and m.person_id = f.person_id
        where case
                when m.person_id is null then f.role is not null
                when m.removed_at is not null then m.source = 'job' and f.role is not null
                when f.person_id is null then true
                else m.source = 'job' and m.role is distinct from f.role
              end
        order by 1, 2
    """
