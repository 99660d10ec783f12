"""A field of the account's records that has a new value: noted, and recorded as what happened."""

from collections.abc import Sequence
from typing import Any

from caravan.campaigns import recording
from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.engage.happening import Happening
from caravan.journeys.actions.update_account import UpdateAccount
from caravan.journeys.actions.update_opportunity import UpdateOpportunity
from caravan.journeys.reasons import SkipReason


async def tell(
    visit: Visit,
    place: Place,
    action: UpdateAccount | UpdateOpportunity,
    event: str,
    value: Any,
    before: Sequence[Any],
) -> None:
    """Note a write of one field, and record ``event`` for each record that it changed.

    Args:
        before: what each of them had in the field; none: they had this value already.
        value: what they have now.
    """
    await note(
        visit, place, action.kind, [Effect(ACCOUNT, None if before else SkipReason.UNCHANGED)]
    )
    happenings = [
        Happening(
            event,
            visit.as_of,
            account_id=visit.traversal.account_id,
            fields={"field": action.field, "from": old, "to": value},
        )
        for old in before
    ]
    account_id = visit.traversal.account_id
    await recording.record_of_locked(visit.conn, visit.plans, happenings, account_id, visit.as_of)
