"""The registry of actions that write to the stores: a new one is its own file and a line here."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from caravan.campaigns import (
    account_interesting_moment,
    add_to_account_list,
    add_to_journey,
    add_to_people_list,
    assign_to_buying_group,
    change_score,
    person_interesting_moment,
    remove_from_account_list,
    remove_from_buying_group,
    remove_from_journey,
    remove_from_people_list,
    request_campaign,
    update_account,
    update_buying_group_stage,
    update_buying_group_status,
    update_opportunity,
    update_person,
)
from caravan.campaigns.effects import ACCOUNT, Effect, Place, note
from caravan.campaigns.visit import Visit
from caravan.delivery.errors import DeliveryError
from caravan.journeys.actions import Action
from caravan.journeys.reasons import SkipReason

T = TypeVar("T")

#: gives back how many it was for: the people it looked at, or 1 for the account
Perform = Callable[[Visit, Place, Any], Awaitable[int]]

PERFORM: dict[str, Perform] = {
    "account_interesting_moment": account_interesting_moment.perform,
    "person_interesting_moment": person_interesting_moment.perform,
    "update_account": update_account.perform,
    "update_person": update_person.perform,
    "update_opportunity": update_opportunity.perform,
    "change_score": change_score.perform,
    "add_to_account_list": add_to_account_list.perform,
    "remove_from_account_list": remove_from_account_list.perform,
    "add_to_people_list": add_to_people_list.perform,
    "remove_from_people_list": remove_from_people_list.perform,
    "add_to_journey": add_to_journey.perform,
    "remove_from_journey": remove_from_journey.perform,
    "request_campaign": request_campaign.perform,
    "update_buying_group_stage": update_buying_group_stage.perform,
    "update_buying_group_status": update_buying_group_status.perform,
    "assign_to_buying_group": assign_to_buying_group.perform,
    "remove_from_buying_group": remove_from_buying_group.perform,
}

#: what one action may get wrong without poisoning the stretch: its data, not the store
BAD_WRITE = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, DeliveryError)


async def perform(visit: Visit, place: Place, action: Action) -> int:
    """Carry out one action.

    Under a savepoint a bad write is an outcome, and the account goes on.

    Returns:
        How many it was for.

    Raises:
        BAD_WRITE: where there is no savepoint; see ``with_savepoints_if_needed``.
    """
    if not visit.savepoints:
        return await PERFORM[action.kind](visit, place, action)
    try:
        async with visit.conn.transaction():
            return await PERFORM[action.kind](visit, place, action)
    except BAD_WRITE:
        await note(visit, place, action.kind, [Effect(ACCOUNT, SkipReason.BAD_VALUE)])
        return 1


async def with_savepoints_if_needed(transaction: Callable[[bool], Awaitable[T]]) -> T:
    """Run a transaction without savepoints, and where a write in it is bad once more with them.

    Bad writes are rare and a savepoint for each action is a tenth of a traversal's round trips.

    Args:
        transaction: told whether its actions stand under savepoints; the first of two is rolled back.
    """
    try:
        return await transaction(False)
    except BAD_WRITE:
        return await transaction(True)
