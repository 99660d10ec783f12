"""The facts of a buying group: where it stands, its roles and members, its changes, what its people did."""

from datetime import datetime
from typing import Any

from caravan.buying_groups.completeness import shown
from caravan.engage import sql
from caravan.lookups.account_facts import activities, group_standing, speak_of
from caravan.reports.facts import Fact, Facts
from caravan.reports.pseudonyms import Pseudonyms
from caravan.reports.wording import counted

#: of each kind
MOST_MEMBERS, MOST_CHANGES = 30, 20


async def group_facts(conn: Any, row: Any, at: datetime) -> Facts:
    """All that a summary of a group is made of; the row is of ``listing.group``."""
    pseudonyms = Pseudonyms()
    account = await sql.fetchrow(conn, "find_account", key=row["account"])
    await speak_of(conn, account, pseudonyms)
    items = await of_group(conn, row, pseudonyms)
    members = {
        f"person {one.record.rpartition('/')[2]}"
        for one in items
        if one.record.startswith("member:")
    }
    did = [
        one for one in await activities(conn, account["id"], pseudonyms, at) if one.about & members
    ]
    return Facts(f"buying group {row['id']}", (*items, *did), pseudonyms)


async def of_group(conn: Any, row: Any, pseudonyms: Pseudonyms) -> list[Fact]:
    """A group, its roles, its members and its changes."""
    number, about = row["id"], pseudonyms.about_account(row["account"])
    facts = [group_standing(row, pseudonyms)]
    roles = await sql.fetch(conn, "buying_group_roles", group_id=number)
    for place, one in enumerate(roles, start=1):
        need = f"needs {one['members_required']}" if one["required"] else "is not required"
        has = f" has {counted(one['people'], 'person', 'people')} and {need}"
        text = "role " + pseudonyms.hide(one["role"]) + has
        facts.append(Fact(f"role:{number}/{place}", text, about=about))
    members = await sql.fetch(conn, "buying_group_members_shown", group_id=number, removed=False)
    for one in members[:MOST_MEMBERS]:
        who = pseudonyms.person(one["person_id"], one["person"], one["attributes"])
        title = one["attributes"].get("job_title")
        text = who + " is " + pseudonyms.hide(one["role"]) + f", engagement {shown(one['score'])}"
        text += ", job title " + pseudonyms.hide(title) if title else ""
        facts.append(Fact(f"member:{number}/{one['person_id']}", text, one["added_at"], about))
    history = await sql.fetch(conn, "buying_group_history_shown", group_id=number)
    for turn, one in list(enumerate(history, start=1))[-MOST_CHANGES:]:
        old, new = (pseudonyms.hide(one[which] or "none") for which in ("old", "new"))
        change = f"{one['what']} from " + old + " to " + new + f" by {one['source']}"
        facts.append(Fact(f"change:{number}/{turn}", change, one["at"], about))
    return facts
