"""Locks for a whole transaction that records for one person after another, or changes groups besides.

Everybody who does so locks accounts, people, their engagement and groups in this order, each by id (the table
is in docs/architecture.md, under buying groups). An action does too, but one behind the other they do not: the
second begins again with what comes before groups, or with a person of a smaller id. Where a plan has such actions
its transactions take all they may need, before the first of them.
"""

from typing import Any

from caravan.engage import sql
from caravan.journeys.actions import Action
from caravan.journeys.nodes import segment_actions
from caravan.journeys.nodes.call import Call
from caravan.journeys.plan import Plan

#: actions that record what engages people
RECORD = frozenset({"person_interesting_moment", "update_person", "change_score"})
#: actions that change the account's groups
CHANGE_GROUPS = frozenset(
    {
        "assign_to_buying_group",
        "remove_from_buying_group",
        "update_buying_group_stage",
        "update_buying_group_status",
    }
)


def locks_in_turn(action: Action) -> bool:
    """Whether an action takes locks of people's engagement, or of groups."""
    return action.kind in RECORD | CHANGE_GROUPS


def is_called_for(plan: Plan) -> bool:
    """Whether one transaction may come to such locks twice; mail and answers of services are recorded too."""
    actions = [
        action
        for node in plan.nodes.values()
        for segment in segment_actions(node)
        for _, _, action in segment
    ]
    own = sum(locks_in_turn(action) for action in actions)
    beside = sum(action.sends for action in actions)
    beside += sum(isinstance(node, Call) and node.of_people for node in plan.nodes.values())
    return own > 0 and own + beside > 1


async def lock_ahead(conn: Any, account_id: int) -> None:
    """Lock the accounts of an account's people, these people, what they did, and the groups of both.

    In three statements, for a statement sees what was there when it began. Who held us up may have been the
    first to record of a person, or may have taken one into a group: the next statement sees that and locks it.
    Left out, it would be locked by its action, behind groups.
    """
    people = await sql.fetch(conn, "lock_people_ahead", account_id=account_id)
    person_ids = [row["id"] for row in people]
    await sql.execute(conn, "lock_engagement_ahead", person_ids=person_ids)
    await sql.execute(conn, "lock_groups_ahead", account_id=account_id, person_ids=person_ids)
