"""The token ``buying_group``: the account's group for the solution interest that a mail names.

It is looked up once for all people of an action, in the transaction that writes their mail.
"""

from dataclasses import replace
from typing import Any

from caravan.buying_groups.completeness import shown
from caravan.campaigns.visit import GroupInWords, Visit
from caravan.engage import sql
from caravan.journeys.liquid import GROUP_FIELDS
from caravan.journeys.templates import TemplateDocument

NO_GROUP: dict[str, Any] = dict.fromkeys(GROUP_FIELDS)


async def with_group(visit: Visit, template: str) -> Visit:
    """The visit, with the group its mail speaks of; a mail that speaks of none costs no question."""
    interest = visit.template(template).template.solution_interest
    if interest is None or interest in visit.groups:
        return visit
    group = await group_in_words(visit.conn, visit.traversal.account_id, interest)
    return replace(visit, groups={**visit.groups, interest: group})


async def group_in_words(conn: Any, account_id: int, interest: str) -> GroupInWords:
    """What may be said of an account's group: of one that is not there nothing, by null fields."""
    row = await sql.fetchrow(
        conn, "group_in_words", account_id=account_id, solution_interest=interest
    )
    said = dict(NO_GROUP)
    if row is None:
        return GroupInWords(said, {})
    said |= {name: row[name] for name in ("stage", "status", "qualified")}
    # as everywhere that people read them: whole numbers, rounded half up
    said |= {name: shown(row[name]) for name in ("completeness", "engagement")}
    said["solution_interest"] = interest
    return GroupInWords(said, {int(person): role for person, role in row["roles"].items()})


def group_token(visit: Visit, template: TemplateDocument, person_id: int) -> dict[str, Any]:
    """The token, where the mail names a solution interest; with the person's own role.

    Raises:
        LookupError: the visit was not asked ``with_group``: who writes mail has to.
    """
    if template.solution_interest is None:
        return {}
    group = visit.groups[template.solution_interest]
    return {"buying_group": {**group.said, "role": group.roles.get(person_id)}}
