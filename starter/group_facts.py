"""The facts of a buying group: where it stands, its roles and members, its changes, what its people did."""

from datetime import datetime
from typing import Any

from caravan.buying_groups.completeness import shown
from caravan.engage import sql
from caravan.reports.facts import Fact, Facts
from caravan.reports.pseudonyms import Pseudonyms
from starter.account_facts import activities, group_standing, speak_of

#: of each kind
MOST_MEMBERS, MOST_CHANGES = 30, 20


async def group_facts(conn: Any, row: Any, at: datetime) -> Facts:
    """All that a summary of a group is made of; the row is of ``listing.group``."""
    pseudonyms = Pseudonyms()
    account = await sql.fetchrow(conn, "find_account", key=row["account"])
    await speak_of(conn, account, pseudonyms)
    items = await of_group(conn, row, pseudonyms)
    members = {one.record.rpartition("/")[2] for one in items if one.record.startswith("member:")}
    did = [
        one
        for one in await activities(conn, account["id"], pseudonyms, at)
        if one.text.split(":")[0].removeprefix("person ") in members
    ]
    return Facts(f"buying group {row['id']}", (*items, *did), pseudonyms)


async def of_group(conn: Any, row: Any, pseudonyms: Pseudonyms) -> list[Fact]:
    """A group, its roles, its members and its changes."""
    number = row["id"]
    facts = [group_standing(row, pseudonyms)]
    roles = await sql.fetch(conn, "buying_group_roles", group_id=number)
    for place, one in enumerate(roles, start=1):
        need = f"needs {one['members_required']}" if one["required"] else "is not required"
        text = f"role {pseudonyms.hide(one['role'])} has {one['people']} people and {need}"
        facts.append(Fact(f"role:{number}/{place}", text))
    members = await sql.fetch(conn, "buying_group_members_shown", group_id=number, removed=False)
    for one in members[:MOST_MEMBERS]:
        who = pseudonyms.person(one["person_id"], one["person"], one["attributes"])
        title = one["attributes"].get("job_title")
        text = f"{who} is {pseudonyms.hide(one['role'])}, engagement {shown(one['score'])}" + (
            f", job title {pseudonyms.hide(title)}" if title else ""
        )
        facts.append(Fact(f"member:{number}/{one['person_id']}", text, one["added_at"]))
    history = await sql.fetch(conn, "buying_group_history_shown", group_id=number)
    for turn, one in list(enumerate(history, start=1))[-MOST_CHANGES:]:
        change = (
            f"{one['what']} from {pseudonyms.hide(one['old'] or 'none')}"
            f" to {pseudonyms.hide(one['new'] or 'none')} by {one['source']}"
        )
        facts.append(Fact(f"change:{number}/{turn}", change, one["at"]))
    return facts
