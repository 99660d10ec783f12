"""One page of the Platform's changes, taken into the engage store as events that journeys can hear.

In the caller's transaction: records, activities, ``account_changed`` and its kin for what is different
now. Also the history of somebody who comes in is recorded as if it happened now: an account that is
here already may listen to that person, and an event that counts must not be missed for having come
this way.
"""

from datetime import datetime
from typing import Any

from caravan.campaigns import departure, recording
from caravan.campaigns.departure import Gone
from caravan.campaigns.plans import PlanCache
from caravan.engage import intake, lists, merged_records, sql
from caravan.engage.happening import Happening
from caravan.platform.export import Bundle

CHANGED = {
    "account": "account_changed",
    "person": "person_changed",
    "opportunity": "opportunity_changed",
}


def subjects(bundle: Bundle) -> list[int]:
    """The accounts and people of a bundle."""
    return [row["id"] for row in (*bundle.accounts, *bundle.people)]


async def take_in(conn: Any, plans: PlanCache, bundle: Bundle, as_of: datetime) -> Gone:
    """Take a bundle in; the caller ends its transaction with ``departure.leave_journeys``.

    Args:
        conn: of the engage store, in a transaction.
        plans: for listeners that hear it.
        bundle: accounts as the Platform has them now, with the activities not yet here.
        as_of: domain time.

    Returns:
        Those of the bundle that are gone.
    """
    changed = await merged_records.changed_identities(conn, bundle)
    going = [row["id"] for row in bundle.accounts if row["deleted_at"] is not None]
    await departure.lock_ways(conn, going)
    changes = await intake.take_in(conn, bundle)
    account_ids = [row["id"] for row in bundle.accounts]
    person_ids = [row["id"] for row in bundle.people]
    # who is another now has left, and what is kept about them goes to that one, whose own journeys go on
    gone = await departure.gone_among(conn, account_ids, person_ids)
    await departure.leave_lists(conn, gone)
    await merged_records.hand_on(conn, changed)
    await lists.settle(conn, account_ids, person_ids, as_of)
    await sql.execute(conn, "question_lists", account_ids=account_ids, person_ids=person_ids)
    await sql.execute(
        conn, "question_buying_groups", account_ids=account_ids, person_ids=person_ids
    )
    happenings = [
        Happening(
            row["type"],
            row["at"],
            account_id=row["account_id"],
            person_id=row["person_id"],
            fields=row["fields"],
            external_id=row["external_id"],
        )
        for row in bundle.activities
    ]
    happenings += [
        Happening(
            CHANGED[change.entity],
            as_of,
            account_id=None if change.entity == "person" else change.id,
            person_id=change.id if change.entity == "person" else None,
            fields={"field": change.field, "from": change.old, "to": change.new},
        )
        for change in changes
    ]
    await recording.record(conn, plans, happenings, as_of)
    # relations, and records that are new or gone, change what an account is and are no events
    await recording.look_at_exits(conn, plans, account_ids, as_of)
    return gone
